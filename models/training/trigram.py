"""A trigram model with Witten–Bell smoothing over the same pieces and text, as a yardstick for the language models.

python -m models.training.trigram --corpora CORPORA --file F prints its bits per character; it is not part of the app.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from models.tokenizer import CLS, SEP, tokenizer
from models.training import text
from models.training.corpora import lines
from models.training.faults import told

ORDER = 3
Context = tuple[int, ...]


class WittenBell:
    """Counts of pieces after contexts of two, one and no pieces."""

    def __init__(self, sequences: Iterator[list[int]], vocabulary: int):
        self.uniform = 1 / vocabulary
        self.counts: dict[Context, Counter[int]] = defaultdict(Counter)
        for ids in sequences:
            for context, piece in trigrams(ids):
                for length in range(ORDER):
                    self.counts[context[:length]][piece] += 1
        self.totals = {context: counts.total() for context, counts in self.counts.items()}

    def probability(self, piece: int, context: Context) -> float:
        """p(piece | context), the nearest piece first: (c + T·p(piece | shorter)) / (n + T) with T different followers.

        Source: Witten and Bell (1991), The Zero-Frequency Problem.
        """
        shorter = self.probability(piece, context[:-1]) if context else self.uniform
        if context not in self.totals:
            return shorter
        followers, total = self.counts[context], self.totals[context]
        return (followers[piece] + len(followers) * shorter) / (total + len(followers))

    def nats(self, ids: list[int]) -> float:
        """−log p of the pieces and the [SEP] behind them."""
        return -math.fsum(math.log(self.probability(piece, context)) for context, piece in trigrams(ids))


def trigrams(ids: list[int]) -> Iterator[tuple[Context, int]]:
    """Each piece of [CLS] pieces [SEP] after the first, with up to two before it, the nearest first."""
    sequence = [CLS, *ids, SEP]
    for place in range(1, len(sequence)):
        yield tuple(sequence[max(0, place - ORDER + 1) : place][::-1]), sequence[place]


@told()
def main(
    corpora: Annotated[Path, typer.Option(help="the folder of the corpora (see models/training/README.md)")],
    file: Annotated[Path, typer.Option(help="what to score it on, a text a line, plain or .gz")],
    checkpoints: Annotated[Path, typer.Option(help="where the tokenised text is kept")] = Path("checkpoints"),
) -> None:
    """Counts all training text and prints the bits per character of the file, each line by itself."""
    sentences = (ids for corpus in text.read(corpora, checkpoints).values() for ids in corpus.each_sentence())
    model = WittenBell(sentences, tokenizer().get_vocab_size())
    held_out = list(lines(file))
    encoded = tokenizer().encode_batch_fast(held_out, add_special_tokens=False)
    nats = math.fsum(model.nats(encoding.ids) for encoding in encoded)
    typer.echo(f"{nats / math.log(2) / sum(map(len, held_out)):.5f} bits per character in {len(held_out):,} lines")


if __name__ == "__main__":
    typer.run(main)
