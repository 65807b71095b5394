"""Trains the one WordPiece tokenizer that all German models share, so that the same tokens line up everywhere."""

import re
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from models.tokenizer import EXAMPLE_SENTENCES, SPECIAL_TOKENS, TOKENIZER_FILE
from models.training.corpora import german_text

VOCABULARY = 14_000
LONGEST_WORD = 100  # characters; a longer one is read in stretches of so many, since the time grows with the cube
EXAMPLE_REPEATS = 3_000  # so that each word of the example sentences becomes a piece of its own


def train(corpora: Path) -> Tokenizer:
    """Learns the pieces from all German training text and writes them beside the weights."""
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=LONGEST_WORD))
    tokenizer.normalizer = normalizers.BertNormalizer(
        clean_text=True, handle_chinese_chars=True, strip_accents=False, lowercase=False
    )
    stretches = pre_tokenizers.Split(Regex(f".{{{LONGEST_WORD}}}"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.BertPreTokenizer(), stretches])
    tokenizer.decoder = decoders.WordPiece()
    text = german_text(corpora)
    words = sorted({word for sentence in EXAMPLE_SENTENCES for word in re.findall(r"\w+", sentence)})
    lines = [sentence for paragraphs in text.values() for paragraph in paragraphs for sentence in paragraph]
    lines += [" ".join(words)] * EXAMPLE_REPEATS
    trainer = trainers.WordPieceTrainer(
        vocab_size=VOCABULARY, special_tokens=SPECIAL_TOKENS, limit_alphabet=250, min_frequency=5
    )
    tokenizer.train_from_iterator(lines, trainer, length=len(lines))
    TOKENIZER_FILE.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(TOKENIZER_FILE))
    return tokenizer
