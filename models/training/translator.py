"""The training of the translator: a small Marian learns from sentence pairs to write each next English piece."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import cast

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from torch import Tensor, nn
from torch.nn import functional
from transformers import MarianConfig, MarianMTModel

from models.tokenizer import CLS, PAD, SEP, SPECIAL_TOKENS, tokenizer
from models.training import text
from models.training.corpora import TATOEBA, translations
from models.training.lesson import Job, Lesson
from models.training.loop import Recipe
from models.training.vectors import piece_vectors
from models.translation import LONGEST

RECIPE = Recipe(steps=13_000, batch_tokens=1_500, learning_rate=1e-3, warmup=800)
LAYERS = 3  # on each side
ENGLISH_PIECES = 6_000
LABEL_SMOOTHING = 0.1

Pair = tuple[np.ndarray, np.ndarray]  # German and English ids, each [CLS] pieces [SEP]


def lesson(job: Job, recipe: Recipe) -> Lesson[Pair]:
    """A Marian that reads the shared German pieces and writes English ones of its own."""
    folder = job.weights / job.name
    sentences = list(translations(job.corpora / TATOEBA))
    english = english_tokenizer([english for _, english in sentences], folder / "english.json")
    config = MarianConfig(
        vocab_size=tokenizer().get_vocab_size(), decoder_vocab_size=english.get_vocab_size(), d_model=job.units,
        encoder_layers=LAYERS, decoder_layers=LAYERS, encoder_attention_heads=4, decoder_attention_heads=4,
        encoder_ffn_dim=4 * job.units, decoder_ffn_dim=4 * job.units, max_position_embeddings=LONGEST,
        share_encoder_decoder_embeddings=False, scale_embedding=True, init_std=0.05, dropout=0.1,
        pad_token_id=PAD, bos_token_id=CLS, eos_token_id=SEP, forced_eos_token_id=SEP, decoder_start_token_id=CLS,
    )  # fmt: skip
    network = MarianMTModel(config)
    pairs = encoded(sentences, english)
    return Lesson(
        network=network,
        config=network.config.to_dict(),
        loss_of=partial(translation_loss, network),
        batches_from=partial(batches, pairs, recipe.seed, recipe.batch_tokens),
        start=partial(start, network, job, recipe.seed),
        keeps=learned,
    )


def learned(name: str) -> bool:
    """Whether a tensor is learned: the positions are computed, and the bias of the output stays zero."""
    return not name.endswith(("embed_positions.weight", "final_logits_bias"))


def start(model: MarianMTModel, job: Job, seed: int) -> None:
    """Starts the German word vectors from skip-gram."""
    vectors = cast(nn.Embedding, model.get_input_embeddings()).weight
    texts = text.read(job.corpora, job.checkpoints)
    with torch.no_grad():
        vectors.copy_(torch.from_numpy(piece_vectors(texts, vectors.shape[1], seed, job.checkpoints)))


def english_tokenizer(sentences: list[str], file: Path) -> Tokenizer:
    """The English pieces, learned unless the file is there; ▁ stands for the blank before a word.

    So the text comes back letter by letter: what a WordPiece decoder does with apostrophes would cost accuracy. And
    byte pairs are the same each time they are learned; the trainer of WordPiece goes through a hash table.
    """
    if not file.exists():
        english = Tokenizer(models.BPE(unk_token="[UNK]"))
        english.normalizer = normalizers.NFC()
        english.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()])
        english.decoder = decoders.Metaspace()
        trainer = trainers.BpeTrainer(
            vocab_size=ENGLISH_PIECES, special_tokens=SPECIAL_TOKENS, limit_alphabet=150, min_frequency=3,
            show_progress=False,
        )  # fmt: skip
        english.train_from_iterator(sentences, trainer)
        file.parent.mkdir(parents=True, exist_ok=True)
        english.save(str(file))
    return Tokenizer.from_file(str(file))


def encoded(sentences: list[tuple[str, str]], english: Tokenizer) -> list[Pair]:
    """The sentence pairs as ids; the few that are too long are left out."""
    sides = []
    for pieces, texts in zip((tokenizer(), english), zip(*sentences, strict=True), strict=True):
        found = pieces.encode_batch_fast(list(texts), add_special_tokens=False)
        sides.append([np.array([CLS, *encoding.ids, SEP]) for encoding in found])
    return [pair for pair in zip(*sides, strict=True) if max(map(len, pair)) <= LONGEST]


def batches(pairs: list[Pair], seed: int, tokens: int, start: int = 0) -> Iterator[Pair]:
    """Endless padded pairs of batches int64[sentences, length] of about `tokens` tokens on the longer side."""
    epoch, seen = 0, 0
    lengths = [max(map(len, pair)) for pair in pairs]
    while True:
        for group in text.grouped(lengths, tokens, np.random.default_rng([seed, epoch]), mixed=1):
            if seen >= start:
                german, english = zip(*(pairs[index] for index in group), strict=True)
                yield text.padded(german), text.padded(english)
            seen += 1
        epoch += 1


def translation_loss(model: MarianMTModel, batch: Pair) -> tuple[Tensor, int]:
    """Cross-entropy of each next English piece, with smoothed labels (Szegedy et al. 2016)."""
    german, english = (torch.from_numpy(side) for side in batch)
    known = english[:, 1:] != PAD
    hidden = model.model(german, (german != PAD).long(), english[:, :-1], use_cache=False).last_hidden_state
    logits = model.lm_head(hidden[known])  # (n, English pieces)
    targets = english[:, 1:][known]
    return functional.cross_entropy(logits, targets, label_smoothing=LABEL_SMOOTHING), len(targets)
