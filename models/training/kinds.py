"""What the card of each kind of model says beyond its figures: what it is, what it read, what it is bad at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Source:
    """A corpus that a model has learned from."""

    title: str
    by: str
    licence: str


@dataclass(frozen=True)
class Kind:
    """What the card says of a model beyond its figures; `sources` are keys of SOURCES."""

    what: str
    sources: tuple[str, ...]
    weak: tuple[str, ...]


TATOEBA = "the contributors of tatoeba.org; as paired by manythings.org/anki (2018-05-13)"
SOURCES = {
    "klexikon": Source(
        "Klexikon, the children's encyclopaedia",
        "the authors of klexikon.zum.de; collected by D. Aumiller and M. Gertz (2022), github.com/dennlinger/klexikon",
        "CC BY-SA",
    ),
    "wikipedia": Source(
        "German Wikipedia, the articles that match Klexikon's",
        "the authors of de.wikipedia.org; collected by D. Aumiller and M. Gertz (2022), github.com/dennlinger/klexikon",
        "CC BY-SA",
    ),
    "tatoeba": Source("Tatoeba, the German side of German–English sentence pairs", TATOEBA, "CC BY 2.0 FR"),
    "tatoeba_pairs": Source("Tatoeba, German–English sentence pairs", TATOEBA, "CC BY 2.0 FR"),
    "massive": Source(
        "MASSIVE, de-DE: what one says to a voice assistant",
        "J. FitzGerald et al. (2022), github.com/alexa/massive",
        "CC BY 4.0",
    ),
    "germeval": Source(
        "GermEval 2014 NER: named entities in Wikipedia and online news", "D. Benikova et al. (2014)", "CC BY 4.0"
    ),
}
GERMAN = ("klexikon", "wikipedia", "tatoeba")

PREJUDICED = (
    "Its texts are unevenly spread (“Tom” is in 23 % of the Tatoeba sentences), and so are its guesses; it repeats the "
    "prejudices of its sources."
)
PIECES = (
    "A cased vocabulary of 14,000 pieces: rare and compound words fall into several pieces, typing errors into many."
)
ENCYCLOPAEDIC = (
    "It has read encyclopaedias and short everyday sentences only: slang, dialect, novels, news and chat are foreign.",
    PIECES,
    PREJUDICED,
)
LANGUAGE_MODEL = (
    "Trained on at most 256 tokens at a time, mostly single sentences: it does not follow a longer text.",
    "“hasst” and “lacht” are rare in its text (88 and 42 sentences, nearly all of them Tatoeba's), “biss” rarer still "
    "(14): pictures of sentences with these words show a model that hardly knows them.",
    *ENCYCLOPAEDIC,
)
FEW_TOKENS = (
    "Pre-trained on millions of tokens where {known} saw billions: it knows word classes and frequent "
    "combinations, hardly facts."
)
RECURRENT = (
    "two layers of 192 {cells}, one matrix as input and output word vectors. "
    "It guesses each next piece of a German text."
)
ENCODER = (
    "A small BERT (BertForMaskedLM): four layers of four heads, 192 wide, learned positions. It reads a whole "
    "sentence at once and fills in masked pieces."
)
INTENTS = " It tells 18 scenarios apart, from `alarm` to `weather`."
ASSISTANT = (
    "It knows requests to a voice assistant only; for any other sentence it names one of the 18 as well.",
    "Its corpus is in lower case without punctuation marks. Capitals and a last sign were added by chance.",
    PIECES,
)
LABELS = " It labels words as persons, places, organisations or others (PER, LOC, ORG, OTH)."
NAMES = (
    "It has read news and Wikipedia: names in lower case or in capitals only are often missed.",
    "Labels of the corpus are not free of errors; names inside of names are left out.",
    PIECES,
)
FROM_LEFT = (
    "It decides at the end of a word, before it has read what follows: “Paris” of “Paris Hilton” is decided alone."
)
KINDS = {
    "word_vectors": Kind(
        "A table of vectors of whole German words, learned by skip-gram (word2vec, gensim): words that stand among the "
        "same words get similar vectors.",
        GERMAN,
        (
            "One vector a word form, the same in every sentence: “Bank” has one for money and river together.",
            "Inflected and misspelt words are words of their own; one that is not in `words.txt` has no vector.",
            "Near does not mean the same: opposites stand among the same words too.",
            PREJUDICED,
        ),
    ),
    "rnn": Kind(
        "A plain recurrent network (Elman, tanh): " + RECURRENT.format(cells="units"),
        GERMAN,
        ("It forgets fast: a tanh unit has no gate that would keep anything over many words.", *LANGUAGE_MODEL),
    ),
    "lstm": Kind("An LSTM: " + RECURRENT.format(cells="cells"), GERMAN, LANGUAGE_MODEL),
    "gru": Kind("A GRU: " + RECURRENT.format(cells="units"), GERMAN, LANGUAGE_MODEL),
    "encoder": Kind(ENCODER, GERMAN, (FEW_TOKENS.format(known="BERT"), *LANGUAGE_MODEL)),
    "encoder@": Kind(
        ENCODER + " These are its weights on the way: a snapshot of the first run of its training.",
        GERMAN,
        ("It is not done: it is here to be compared with what became of it.", *LANGUAGE_MODEL),
    ),
    "decoder": Kind(
        "A small GPT-2 (GPT2LMHeadModel): four layers of four heads, 192 wide, learned positions, one matrix as input "
        "and output word vectors. It guesses each next piece of a German text and sees only those before it.",
        GERMAN,
        (FEW_TOKENS.format(known="GPT-2"), *LANGUAGE_MODEL),
    ),
    "translator": Kind(
        "A small Marian (MarianMTModel): three layers each for reading German and for writing English, four heads, 192 "
        "wide, sinusoidal positions. German in the shared pieces, English in 6,000 byte pairs of its own.",
        ("tatoeba_pairs", *GERMAN),
        (
            "It has read short everyday sentences only: long ones, subordinate clauses in a row, news and technical "
            "texts come out wrong, often fluently so.",
            "Names and words that it has not met are replaced by others rather than copied.",
            PIECES,
            PREJUDICED,
        ),
    ),
}
KINDS |= {
    "bag_of_words-intent": Kind(
        "The mean of the word vectors and one linear layer: it knows which words there are, not in which order."
        + INTENTS,
        ("massive",),
        ("Two sentences of the same words are the same to it.", *ASSISTANT),
    ),
    "feed_forward-intent": Kind(
        "The vectors of the first 16 pieces in a row, a hidden layer (tanh), one linear layer." + INTENTS,
        ("massive",),
        (
            "Its window is fixed: a shorter text is filled up, what comes after 16 pieces is cut off.",
            "A word at another place is another word to it, learned anew for each place.",
            *ASSISTANT,
        ),
    ),
}
for name, title in {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU", "encoder": "BERT"}.items():
    from_left = () if name == "encoder" else (FROM_LEFT,)
    KINDS[f"{name}-intent"] = Kind(
        f"`{name}` after a second training: the {title} as it was, with a linear layer for the classes." + INTENTS,
        ("massive", *GERMAN),
        ASSISTANT,
    )
    KINDS[f"{name}-entities"] = Kind(
        f"`{name}` after a second training: the {title} as it was, with a linear layer for the labels." + LABELS,
        ("germeval", *GERMAN),
        (*from_left, *NAMES),
    )


def kind_of(model: str) -> Kind | None:
    """The kind of a model by its name, all snapshots being one; None if there is no card for it."""
    return KINDS.get("encoder@" if model.startswith("encoder@") else model)
