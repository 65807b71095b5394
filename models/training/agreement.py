"""The task `agreement`: does the model find the right one of two sentences more probable, if only one word differs?

A model that reads from left to right is asked for the probability of both whole sentences, [SEP] included. One that
fills in masked words is asked only for the words that differ, with the rest of the sentence in sight: the pieces of the
word are guessed from left to right, each with itself and the pieces after it masked (Kauf and Ivanova 2023, after the
pseudo-likelihood of Salazar et al. 2020), and their log-probabilities added. The whole pseudo-likelihood would cost a
call for every piece of the sentence.

A word of more pieces adds up more terms, which is fair when reading from the left (the terms make one probability) but
not for pseudo-likelihoods: pairs whose words have different numbers of pieces are scored all the same, counted, and the
accuracy without them stands beside. Equal probabilities count as wrong.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from tokenizers import Encoding
from torch import nn
from transformers.models.bert.modeling_bert import BertForMaskedLM

from models.tokenizer import tokenizer
from models.training import likelihood
from models.training.corpora import WrongFormat, table
from models.training.text import LONGEST

Key = TypeVar("Key", str, int)
COLUMNS = ["case", "right", "wrong", "word_position"]


class Pair(NamedTuple):
    """A right and a wrong sentence, and which pieces (from, to) are those of the words that differ."""

    case: str
    position: int
    right: list[int]
    wrong: list[int]
    right_span: tuple[int, int]
    wrong_span: tuple[int, int]

    @property
    def unequal(self) -> bool:
        """Whether the words that differ have different numbers of pieces."""
        return len(self.right) != len(self.wrong)


def accuracy(model: nn.Module, file: Path, limit: int | None) -> dict[str, Any]:
    """The share of right decisions, as the mean over the cases, by case and by the position of the word.

    The file does not say how far apart subject and verb are; the position of the word that differs, counted from 0 in
    words, stands in for it.
    """
    pairs = list(islice(read(file), limit))
    if not pairs:
        raise WrongFormat(f"There are no sentence pairs in {file}.")
    if isinstance(model, BertForMaskedLM):
        right, wrong = fill_in(model, pairs)
    else:
        both = [*(pair.right for pair in pairs), *(pair.wrong for pair in pairs)]
        found = likelihood.of_texts(model, both)
        right, wrong = found[: len(pairs)], found[len(pairs) :]
    decisions = [a > b for a, b in zip(right, wrong, strict=True)]
    cases = shares((pair.case, decision) for pair, decision in zip(pairs, decisions, strict=True))
    positions = shares((pair.position, decision) for pair, decision in zip(pairs, decisions, strict=True))
    equal = [decision for pair, decision in zip(pairs, decisions, strict=True) if not pair.unequal]
    return {
        "items": len(pairs),
        "accuracy": round(sum(cases.values()) / len(cases), 5),
        "cases": {case: round(share, 5) for case, share in sorted(cases.items())},
        "case_items": {case: sum(pair.case == case for pair in pairs) for case in sorted(cases)},
        "word_positions": {str(position): round(share, 5) for position, share in sorted(positions.items())},
        "unequal_pieces": len(pairs) - len(equal),
        "accuracy_all_pairs": round(sum(decisions) / len(decisions), 5),
        "accuracy_equal_pieces": round(sum(equal) / len(equal), 5) if equal else None,
    }


def fill_in(model: BertForMaskedLM, pairs: list[Pair]) -> tuple[list[float], list[float]]:
    """The pseudo-log-likelihoods of the words that differ, in the right and in the wrong sentences."""
    groups = [likelihood.blanks_of_word(pair.right, *pair.right_span) for pair in pairs]
    groups += [likelihood.blanks_of_word(pair.wrong, *pair.wrong_span) for pair in pairs]
    found = iter(likelihood.of_blanks(model, [blank for group in groups for blank in group]))
    sums = [sum(islice(found, len(group))) for group in groups]
    return sums[: len(pairs)], sums[len(pairs) :]


def shares(decisions: Iterable[tuple[Key, bool]]) -> dict[Key, float]:
    """The share of right decisions for each key."""
    found: dict[Key, list[bool]] = defaultdict(list)
    for key, decision in decisions:
        found[key].append(decision)
    return {key: sum(group) / len(group) for key, group in found.items()}


def read(file: Path) -> Iterator[Pair]:
    """The pairs of the file; raises WrongFormat where a pair has no difference or a sentence is too long."""
    for number, (case, right, wrong, position) in enumerate(table(file, COLUMNS), start=1):
        encodings = [tokenizer().encode(sentence, add_special_tokens=False) for sentence in (right, wrong)]
        if not position.strip().isdecimal():
            raise WrongFormat(f"Pair {number} of {file} has the word position '{position}', which is no number.")
        if encodings[0].ids == encodings[1].ids:
            raise WrongFormat(f"Pair {number} of {file} has the same right and wrong sentence.")
        if max(len(encoding.ids) for encoding in encodings) > LONGEST - 2:
            raise WrongFormat(f"Pair {number} of {file} is longer than {LONGEST} tokens.")
        yield Pair(case, int(position), encodings[0].ids, encodings[1].ids, *different(*encodings))


def words(encoding: Encoding) -> list[tuple[int, ...]]:
    """The pieces of each word, as the tokenizer splits words at blanks and punctuation."""
    found: dict[int | None, list[int]] = defaultdict(list)
    for word, id_ in zip(encoding.word_ids, encoding.ids, strict=True):
        found[word].append(id_)
    return [tuple(ids) for ids in found.values()]


def different(right: Encoding, wrong: Encoding) -> tuple[tuple[int, int], tuple[int, int]]:
    """Which pieces (from, to) of both sentences belong to the words between their common beginning and end."""
    ours, theirs = words(right), words(wrong)
    before = 0
    while before < min(len(ours), len(theirs)) and ours[before] == theirs[before]:
        before += 1
    after = 0
    while after < min(len(ours), len(theirs)) - before and ours[-1 - after] == theirs[-1 - after]:
        after += 1
    start = sum(map(len, ours[:before]))
    rest = sum(map(len, ours[len(ours) - after :]))
    return (start, len(right.ids) - rest), (start, len(wrong.ids) - rest)
