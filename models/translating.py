"""What an encoder–decoder writes: the search of transformers, then one pass over what it wrote, recorded."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import numpy as np

from models import registry
from models.errors import CaptureError
from models.run import Run
from models.trace import Attention, Check, Decoding, Token, Trace, Written

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor

MOST = 64  # tokens written at most
BEAMS = {"greedy": 1, "beams": 4}
LOOK = ("queries", "keys", "values", "scaling", "scores", "attention")
FIELDS = (
    "target_ids",
    "target_probabilities",
    "decoder_queries",
    "decoder_keys",
    "decoder_values",
    "decoder_scores",
    "decoder_attention",
    "cross_queries",
    "cross_keys",
    "cross_values",
    "cross_scores",
    "cross_attention",
)


class Writer(Protocol):
    """An encoder–decoder in memory; `forward` shows how its encoder reads."""

    model: registry.Model

    @property
    def whole(self) -> Any:
        """The network of transformers with both sides; it generates."""

    @property
    def target(self) -> "Tokenizer":
        """The tokenizer of what it writes."""

    def forward(self, text: str) -> Trace:
        """The encoder's trace."""

    def written(self, id_: int) -> str:
        """The piece with this number, as people read it; ## where it goes on with a word."""


class Spoken(NamedTuple):
    """The encoder's trace, and what was recorded beyond it; `start` is what the decoder reads first."""

    trace: Trace
    start: Token
    written: Written
    decoding: Decoding
    checks: list[Check]  # of the decoder's own attention and of the one across


def trace(run: Run) -> Trace:
    """The encoder's trace, and beside it what was written and how each step looked.

    `run.experiment` ends in the kind of search. Row t of the arrays is the step that wrote token t. The layers of the
    check are those of the encoder, then the decoder's own, then those across.
    """
    spoken = speak(run, BEAMS[run.experiment.rpartition("_")[2]])
    check = Check.joined([spoken.trace.check, *spoken.checks])
    return replace(spoken.trace, written=spoken.written, decoding=spoken.decoding, check=check)


def across(run: Run) -> Trace:
    """What was written greedily, and how each step looked at the text; nothing of the encoder itself."""
    spoken = speak(run, BEAMS["greedy"])
    return Trace(
        model=run.model, text=run.text, tokens=spoken.trace.tokens, check=spoken.checks[1], written=spoken.written,
        decoding=spoken.decoding,
    )  # fmt: skip


def decoder(run: Run) -> Trace:
    """How the decoder looks at what it has written greedily: its tokens and sentence take the place of the text's."""
    spoken = speak(run, BEAMS["greedy"])
    own = {name: getattr(spoken.decoding, f"decoder_{name}") for name in LOOK}
    return Trace(
        model=run.model, text=spoken.written.sentence, tokens=(spoken.start, *spoken.written.words[:-1]),
        check=spoken.checks[0], attention=Attention(**own),
    )  # fmt: skip


def speak(run: Run, beams: int) -> Spoken:
    """Lets the model write, and reads what it wrote once more in one call."""
    import torch

    from models import capture

    writer = cast(Writer, registry.load(run.model))
    whole = writer.forward(run.text)
    assert whole.attention is not None
    ids = torch.tensor([[token.id for token in whole.tokens]])
    try:
        with torch.inference_mode():
            found = generated(writer, ids, beams)
            with capture.recording() as calls:
                logits = writer.whole(input_ids=ids, decoder_input_ids=found[None, :-1], use_cache=False).logits[0]
    except (RuntimeError, TypeError, ValueError, IndexError) as error:  # what models from elsewhere may raise
        raise CaptureError(f"it does not write: {error}") from error
    steps = found[1:]
    shares = logits.softmax(-1).gather(1, steps[:, None])[:, 0]
    decoding, checks = capture.decoding(calls[len(whole.attention.attention) :], len(steps), len(whole.tokens))
    if (wrong := max(check.max_abs_error for check in checks)) > capture.TOLERANCE:
        raise CaptureError(f"its attention is not the softmax of its scores: {wrong:.1e} apart")
    start, *words = tokens(writer, found.tolist())
    said = Written(
        words=tuple(words),
        sentence=writer.target.decode(found.tolist()),
        ended=int(steps[-1]) in ends(writer),
        target_ids=steps.numpy().astype(np.int64),
        target_probabilities=shares.numpy(),
    )
    return Spoken(whole, start, said, decoding, checks)


def generated(writer: Writer, ids: "Tensor", beams: int) -> "Tensor":
    """The start token and what the search writes, at least one token; raises CaptureError where nothing is written."""
    import torch

    found: Tensor = writer.whole.generate(
        ids, attention_mask=torch.ones_like(ids), num_beams=beams, do_sample=False, max_new_tokens=most(writer),
        return_dict_in_generate=False, forced_eos_token_id=None,  # that would hide where it is cut
    )[0]  # fmt: skip
    if len(found) < 2:
        raise CaptureError("it writes nothing")
    return found


def most(writer: Writer) -> int:
    """How many tokens it may write."""
    return min(MOST, writer.model.longest - 1)


def ends(writer: Writer) -> set[int]:
    """The tokens that end a sentence."""
    stated = writer.whole.generation_config.eos_token_id
    return set(stated) if isinstance(stated, list) else {stated}


def tokens(writer: Writer, ids: Sequence[int]) -> list[Token]:
    """The start token and the written ones, with their places in the sentence."""
    target, end, found = writer.target, 0, list[Token]()
    special = {id_ for id_, added in target.get_added_tokens_decoder().items() if added.special} | ends(writer)
    sentence = target.decode(ids)
    for place, id_ in enumerate(ids):
        start, end = end, max(end, min(len(sentence), len(target.decode(ids[: place + 1]))))
        while start < end and sentence[start].isspace():
            start += 1  # the space before a word belongs to its piece
        own = place == 0 or id_ in special
        shown = writer.written(id_)
        if place == 1:
            shown = shown.removeprefix("##")  # there is no word to go on with
        found.append(Token(target.id_to_token(id_) or "" if own else shown, id_, start, start if own else end, own))
    return found
