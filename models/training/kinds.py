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
    """What the card says of a model beyond its figures; `sources` are keys of SOURCES, `weak` of WEAK."""

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

WEAK = {  # each sentence has its twin in the catalogues of the app
    "agreement_none": "It has not learned agreement of subject and verb: {accuracy}; guessing gives 0.5.",
    "agreement_part": "Agreement of subject and verb is learned in part only ({accuracy}, guessing 0.5); worst in "
    "`{case}` with {share}.",
    "blanks_missed": "In {missed} of {items} simple sentences the removed word is not among its first five guesses.",
    "names_missed": "Of the {names} names in {items} sentences of our own it marks {right} with the right boundaries "
    "and class; {wrong} of its marks are wrong.",
    "prejudiced": "Its texts are lopsided (“Tom” is in 23% of the Tatoeba sentences), and so is what it has learned "
    "from them; expect the prejudices of its sources.",
    "pieces": "A cased vocabulary of 14,000 pieces: rare and compound words fall into several pieces, misspelt ones "
    "into many.",
    "encyclopaedic": "It has read encyclopaedias and short everyday sentences only: slang, dialect, novels, news and "
    "chat are foreign to it.",
    "short": "Trained on at most 256 tokens at a time, mostly single sentences: it does not follow a longer text.",
    "rare_verbs": "“hasst” and “lacht” are rare in its text (88 and 42 sentences, nearly all of them Tatoeba's), "
    "“biss” rarer still (14): pictures of sentences with these words show a model that hardly knows them.",
    "few_tokens_bert": "Pre-trained on millions of tokens where BERT saw billions: it knows word classes and frequent "
    "combinations, hardly facts.",
    "few_tokens_gpt2": "Pre-trained on millions of tokens where GPT-2 saw billions: it knows word classes and frequent "
    "combinations, hardly facts.",
    "one_vector": "One vector a word form, the same in every sentence: German “Bank” has a single one for bench and "
    "bank.",
    "word_forms": "Inflected and misspelt words are words of their own; one that is not in `words.txt` has no vector.",
    "opposites": "Near does not mean synonymous: opposites stand among the same words too.",
    "forgets": "It keeps badly what lies far back: a tanh unit has no gate that would hold anything over many words.",
    "on_the_way": "Its training is not finished: it is here to be compared with what became of it.",
    "everyday": "It has read short everyday sentences only: long ones, subordinate clauses in a row, news and "
    "technical texts often come out wrong, even where the English is fluent.",
    "unknown_names": "Names and words that it has not met are often replaced by others rather than copied.",
    "assistant": "It knows requests to a voice assistant only; for any other sentence it names one of the 18 as well.",
    "lower_case": "Its corpus is all in lower case and without punctuation; in training, capitals and a mark at the "
    "end were added at random.",
    "repeated": "68 of the 1,487 requests that it is scored on stand word for word in its training text too; the "
    "corpus is published that way. Without them accuracy is lower by 0.004 to 0.009, depending on the classifier.",
    "no_order": "It cannot tell two sentences of the same words apart.",
    "window": "Its window is fixed: a shorter text is filled up, what comes after 16 pieces is cut off.",
    "places": "A word in another place is another word to it, to be learned anew for each place.",
    "names_written": "Capitals matter: in text all in lower case its recall falls from {recall} to {lower}, in text "
    "all in capitals to {upper}, and its precision there to {precision}.",
    "labels": "The labels of the corpus are not free of errors; names inside names are left out.",
    "names_hard": "It does not take “Paris Hilton” for a person, and gets no name right in “ANGELA MERKEL BESUCHTE "
    "SIEMENS IN MÜNCHEN.”",
    "from_left": "It decides at the end of a word, before it has read what follows: “Paris” in “Paris Hilton” is "
    "decided without “Hilton”.",
}
LANGUAGE_MODEL = ("short", "rare_verbs", "encyclopaedic", "pieces", "prejudiced")
ASSISTANT = ("assistant", "lower_case", "repeated", "pieces")
RECURRENT = (
    "two layers of 192 {cells}, one matrix as input and output word vectors. "
    "It guesses each next piece of a German text."
)
ENCODER = (
    "A small BERT (BertForMaskedLM): four layers of four heads, 192 wide, learned positions. It reads a whole "
    "sentence at once and fills in masked pieces."
)
INTENTS = " It tells 18 topics apart, from `alarm` to `weather`."
TEACHERS = (
    " It learned one half from the corpus, the other half from what four classifiers (RNN, LSTM, GRU and BERT, each "
    "trained alone) answer on average: this is called distillation."
)
LABELS = " It labels words as persons, places, organisations or others (PER, LOC, ORG, OTH)."
KINDS = {
    "word_vectors": Kind(
        "A table of vectors of whole German words, learned by skip-gram (word2vec, gensim): words that stand among the "
        "same words get similar vectors.",
        GERMAN,
        ("one_vector", "word_forms", "opposites", "prejudiced"),
    ),
    "rnn": Kind(
        "A plain recurrent network (Elman, tanh): " + RECURRENT.format(cells="units"),
        GERMAN,
        ("forgets", *LANGUAGE_MODEL),
    ),
    "lstm": Kind("An LSTM: " + RECURRENT.format(cells="cells"), GERMAN, LANGUAGE_MODEL),
    "gru": Kind("A GRU: " + RECURRENT.format(cells="units"), GERMAN, LANGUAGE_MODEL),
    "encoder": Kind(ENCODER, GERMAN, ("few_tokens_bert", *LANGUAGE_MODEL)),
    "encoder@": Kind(
        ENCODER + " These are its weights on the way: a snapshot of the first run of its training.",
        GERMAN,
        ("on_the_way", *LANGUAGE_MODEL),
    ),
    "decoder": Kind(
        "A small GPT-2 (GPT2LMHeadModel): four layers of four heads, 192 wide, learned positions, one matrix as input "
        "and output word vectors. It guesses each next piece of a German text and sees only those before it.",
        GERMAN,
        ("few_tokens_gpt2", *LANGUAGE_MODEL),
    ),
    "translator": Kind(
        "A small Marian (MarianMTModel): three layers read German and three write English, each with four heads, 192 "
        "wide, sinusoidal positions. For German it has the shared vocabulary, for English one of its own, of 6,000 "
        "pieces (byte-pair encoding).",
        ("tatoeba_pairs", *GERMAN),
        ("everyday", "unknown_names", "pieces", "prejudiced"),
    ),
}
KINDS |= {
    "bag_of_words-intent": Kind(
        "The mean of the word vectors and one linear layer: it knows which words there are, not in which order."
        + INTENTS,
        ("massive",),
        ("no_order", *ASSISTANT),
    ),
    "feed_forward-intent": Kind(
        "The vectors of the first 16 pieces in a row, a hidden layer (tanh), one linear layer." + INTENTS,
        ("massive",),
        ("window", "places", *ASSISTANT),
    ),
}
for name in ("rnn", "lstm", "gru", "encoder"):
    from_left = () if name == "encoder" else ("from_left",)
    KINDS[f"{name}-intent"] = Kind(
        f"`{name}` after a second training, with a new linear layer for the classes." + INTENTS + TEACHERS,
        ("massive", *GERMAN),
        ASSISTANT,
    )
    KINDS[f"{name}-entities"] = Kind(
        f"`{name}` after a second training, with a new linear layer for the labels." + LABELS,
        ("germeval", *GERMAN),
        (*from_left, "names_hard", "labels", "pieces"),
    )


def kind_name(model: str) -> str:
    """The key of a model in KINDS, all snapshots being one; there need not be such a kind."""
    return "encoder@" if model.startswith("encoder@") else model


def kind_of(model: str) -> Kind | None:
    """The kind of a model by its name; None if there is no card for it."""
    return KINDS.get(kind_name(model))
