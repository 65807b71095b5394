"""How probable a model finds a text: read from the left piece by piece, or filled in where pieces are masked.

Texts are scored in batches of similar length, with the softmax over the whole vocabulary.
"""

import math
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm
from transformers.models.bert.modeling_bert import BertForMaskedLM
from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel

from models.recurrence import RecurrentLanguageModel
from models.tokenizer import CLS, MASK, PAD, SEP, UNK, tokenizer
from models.training.corpora import WrongFormat, lines
from models.training.text import LONGEST, padded

BATCH_TOKENS = 512  # 29 MB of logits at 14,000 pieces: larger batches are slower

Item = TypeVar("Item")


class WrongModel(ValueError):
    """The model cannot do what the task asks."""


class Blank(NamedTuple):
    """One piece to be guessed: the ids with [MASK] at `place`, and the id that belongs there."""

    ids: tuple[int, ...]
    place: int
    target: int


def next_pieces(model: nn.Module, ids: Tensor) -> Tensor:
    """log p of each piece after the first, given all before it; float32[texts, tokens - 1] from ids [texts, tokens].

    Where a text has ended there is 0.
    """
    known = ids[:, 1:] != PAD
    logits = next_logits(model, ids[:, :-1], known)  # (pieces, vocabulary)
    found = torch.zeros(known.shape)
    found[known] = logits.gather(-1, ids[:, 1:][known][:, None])[:, 0] - logits.logsumexp(-1)
    return found


def next_logits(model: nn.Module, ids: Tensor, places: Tensor) -> Tensor:
    """The score of every piece as the next one after the chosen places; float32[places, vocabulary].

    `places` is true where it is asked for, of the form of ids [texts, tokens]; [PAD] may stand at the ends of texts.
    """
    if isinstance(model, RecurrentLanguageModel):
        return model.logits(model(ids)[places])
    if isinstance(model, GPT2LMHeadModel):
        logits: Tensor = model.lm_head(model.transformer(ids, use_cache=False).last_hidden_state[places])
        return logits
    raise WrongModel("does not read from left to right, so it gives no next word (rnn, lstm, gru and decoder do)")


def masked_pieces(model: nn.Module, ids: Tensor, places: Tensor) -> Tensor:
    """log p of every piece of the vocabulary at one masked place a text; float32[texts, vocabulary]."""
    if not isinstance(model, BertForMaskedLM):
        raise WrongModel("does not fill in masked words (encoder does)")
    hidden = model.bert(ids, attention_mask=(ids != PAD).long()).last_hidden_state
    logits: Tensor = model.cls(hidden[torch.arange(len(ids)), places])
    return logits.log_softmax(-1)


def rectangle(sequences: Sequence[Sequence[int]]) -> Tensor:
    """The sequences as rows, filled up with [PAD]."""
    return torch.from_numpy(padded([np.asarray(sequence) for sequence in sequences]))


def windows(ids: list[int]) -> list[tuple[int, ...]]:
    """[CLS] pieces [SEP]; where that is longer than 256, consecutive parts that each start anew after a [CLS]."""
    room = LONGEST - 1
    targets = [*ids, SEP]
    return [(CLS, *targets[start : start + room]) for start in range(0, len(targets), room)]


def of_texts(model: nn.Module, texts: Sequence[list[int]]) -> list[float]:
    """log p of each text, its [SEP] included, from the ids of its pieces; texts over 256 tokens as `windows` says."""
    cut = [windows(text) for text in texts]

    def score(sequences: list[tuple[int, ...]]) -> list[float]:
        return [float(value) for value in next_pieces(model, rectangle(sequences)).double().sum(-1)]

    known = once([window for parts in cut for window in parts], len, score)
    return [math.fsum(known[window] for window in parts) for parts in cut]


def of_blanks(model: nn.Module, blanks: Sequence[Blank]) -> list[float]:
    """log p of the piece that belongs into each blank."""

    def score(some: list[Blank]) -> list[float]:
        ids, places, targets = zip(*some, strict=True)
        found = masked_pieces(model, rectangle(ids), torch.tensor(places))
        return [float(value) for value in found[torch.arange(len(some)), torch.tensor(targets)]]

    known = once(blanks, lambda blank: len(blank.ids), score)
    return [known[blank] for blank in blanks]


def blanks_of_word(ids: list[int], start: int, end: int) -> list[Blank]:
    """The blanks of the pieces start to end: each sees the text around the word and the word's pieces before it."""
    return [
        Blank((CLS, *ids[:place], *[MASK] * (end - place), *ids[end:], SEP), place + 1, ids[place])
        for place in range(start, end)
    ]


def once(
    items: Sequence[Item], length: Callable[[Item], int], score: Callable[[list[Item]], list[float]]
) -> dict[Item, float]:
    """The score of each different item, in batches of similar length."""
    ordered = sorted(set(items), key=lambda item: (length(item), item))
    known: dict[Item, float] = {}
    with tqdm(total=len(ordered), unit="texts", mininterval=1) as bar:
        while len(known) < len(ordered):
            batch = ordered[len(known) : len(known) + 1]
            for item in ordered[len(known) + 1 :]:
                if (len(batch) + 1) * length(item) > BATCH_TOKENS:
                    break
                batch.append(item)
            known.update(zip(batch, score(batch), strict=True))
            bar.update(len(batch))
    return known


def bits_per_character(model: nn.Module, file: Path, limit: int | None) -> dict[str, Any]:
    """The task `lm`: how many bits the model needs for a character of the file, each line read by itself.

    Each line that is not empty is `[CLS] pieces [SEP]`, its [SEP] is predicted too; one over 256 tokens is cut into
    consecutive windows. Characters are those of the line without blanks at its ends. An unknown word is cheap to a
    model that knows it only as [UNK], so the share of those is beside the figure.
    """
    texts = list(islice(lines(file), limit))
    if not texts:
        raise WrongFormat(f"There is no line with text in {file}.")
    encoded = [encoding.ids for encoding in tokenizer().encode_batch_fast(texts, add_special_tokens=False)]
    nats = -math.fsum(of_texts(model, encoded))
    pieces = sum(map(len, encoded))
    characters = sum(map(len, texts))
    return {
        "items": len(texts),
        "bits_per_character": round(nats / math.log(2) / characters, 5),
        "perplexity_per_piece": round(math.exp(nats / (pieces + len(texts))), 3),
        "unknown_share": round(sum(ids.count(UNK) for ids in encoded) / max(pieces, 1), 6),
        "pieces": pieces,
        "characters": characters,
    }
