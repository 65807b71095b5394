"""What one run of a model on one text leaves behind: its tokens and typed parts, arrays whose shape is written beside.

`float32[layers, heads, tokens, tokens]` is documentation, is checked when a part is made, and names the axes in the
JSON. An axis has one size within a trace; `tokens` is the number of tokens.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, is_dataclass
from datetime import datetime
from functools import cached_property, partial
from typing import Any, NamedTuple

import numpy as np

from models.shapes import Array, array, array_fields, check, part


class Token(NamedTuple):
    """One position the model sees; `text[start:end]` of the typed text, an empty span for the model's own tokens."""

    text: str
    id: int
    start: int
    end: int
    special: bool


def typed_places(tokens: Sequence[Token]) -> list[int]:
    """The places of the tokens that are the text's own, not the model's."""
    return [place for place, token in enumerate(tokens) if not token.special]


@part
class States:
    """The vectors of each token on their way through the layers."""

    inputs: np.ndarray = array("float32[tokens, units]")  # word vectors as looked up
    positions: np.ndarray | None = array("float32[tokens, units]", optional=True)  # what is added for the place
    embeddings: np.ndarray = array("float32[tokens, units]")  # what enters the first layer
    hidden: Array | None = array("float32[layers, tokens, units]", optional=True)  # after each layer, if any


@part
class Positional:
    """A Transformer's vectors for all places that it knows, not only those of the text."""

    position_table: np.ndarray = array("float32[places, units]")
    sinusoidal: bool  # of sines and cosines, else learned


@part
class Recurrence:
    """The gates of a recurrent model at each step; gates lie in [0, 1], candidate and new in [−1, 1]."""

    gate_names: tuple[str, ...]
    gates: Array = array("float32[layers, gates, tokens, units]")
    cell: Array | None = array("float32[layers, tokens, units]", optional=True)  # LSTM: the long memory c


@part
class Attention:
    """How the tokens of one run look at each other; each row of a head sums to 1.

    A few models only tell their `attention`: the rest is None then, and no view that needs it gets such a trace.
    """

    queries: Array = array("float32[layers, heads, tokens, head_units]", optional=True)
    keys: Array = array("float32[layers, heads, tokens, head_units]", optional=True)  # repeated for each of a group
    values: Array = array("float32[layers, heads, tokens, head_units]", optional=True)
    scaling: np.ndarray = array("float32[layers]", optional=True)  # what q·k is multiplied with, mostly 1/√d
    scores: Array = array("float32[layers, heads, tokens, tokens]", optional=True)  # q·k·scaling + mask, into softmax
    attention: Array = array("float32[layers, heads, tokens, tokens]")
    output_weights: Array | None = array("float32[layers, heads, head_units, units]", optional=True)  # each head's W_O
    # What a layer adds to each token, before the sum and the normalisation: the heads together with the bias of W_O,
    # and its feed-forward network.
    attention_output: Array | None = array("float32[layers, tokens, units]", optional=True)
    feed_forward: Array | None = array("float32[layers, tokens, units]", optional=True)


@part
class Prediction:
    """What a language model expects at each token, knowing only the tokens before it."""

    loss: Array = array("float32[tokens]")  # −log p(token | before) in nats; NaN at the first
    ids: Array = array("int64[tokens, ranks]")  # the likeliest next tokens after this one
    probabilities: Array = array("float32[tokens, ranks]")
    written: Callable[[int], str]  # from an id to what people read

    @cached_property
    def words(self) -> tuple[tuple[str, ...], ...]:
        """The likeliest next tokens as they would be written, [tokens][ranks]."""
        return tuple(tuple(map(self.written, row)) for row in np.asarray(self.ids).tolist())

    def __getstate__(self) -> dict[str, Any]:  # `written` may hang on a model, which is not packed along
        ids = np.unique(self.ids).tolist()
        return vars(self) | {"written": dict(zip(ids, map(self.written, ids), strict=True)).__getitem__}


@part
class Written:
    """What an encoder–decoder writes, token by token; the last one ends the sentence where it came to an end."""

    words: tuple[Token, ...]  # [target_tokens], with their places in the sentence
    sentence: str
    ended: bool
    target_ids: np.ndarray = array("int64[target_tokens]")
    target_probabilities: np.ndarray = array("float32[target_tokens]")  # p(token | those before it, the text)


@part
class Decoding:
    """How a decoder looks while it writes: at what it has written, and at the text; a row is the step for one token.

    Its layers and heads are its own. At step t it has read the start token and the t tokens written before.
    """

    decoder_queries: Array = array("float32[layers, heads, target_tokens, head_units]")
    decoder_keys: Array = array("float32[layers, heads, target_tokens, head_units]")
    decoder_values: Array = array("float32[layers, heads, target_tokens, head_units]")
    decoder_scaling: np.ndarray = array("float32[layers]")
    decoder_scores: Array = array("float32[layers, heads, target_tokens, target_tokens]")
    decoder_attention: Array = array("float32[layers, heads, target_tokens, target_tokens]")
    cross_queries: Array = array("float32[layers, heads, target_tokens, head_units]")
    cross_keys: Array = array("float32[layers, heads, source_tokens, head_units]")
    cross_values: Array = array("float32[layers, heads, source_tokens, head_units]")
    cross_scaling: np.ndarray = array("float32[layers]")
    cross_scores: Array = array("float32[layers, heads, target_tokens, source_tokens]")
    cross_attention: Array = array("float32[layers, heads, target_tokens, source_tokens]")


@part
class Sentence:
    """A sentence as one vector, and the distances of unrelated sentences and words as a yardstick."""

    sentence_vector: np.ndarray = array("float32[sentence_units]")
    word_states: np.ndarray = array("float32[tokens, word_units]")  # of the last layer
    unrelated: np.ndarray = array("float32[pairs]")  # Euclidean distances of pairs of unrelated sentences
    unrelated_words: np.ndarray = array("float32[pairs]")  # and of a word of each


@part
class Expectation:
    """The whole distribution of what comes next."""

    log_probabilities: Array = array("float32[tokens, pieces]")  # log p(piece | tokens up to this one) in nats


@part
class Gradient:
    """How large the gradient of a loss is at each state before it; rows of the map are losses, columns states."""

    gradient_last: np.ndarray = array("float32[layers, tokens]")  # ‖∂L(last)/∂h(k)‖
    gradient_sum: np.ndarray = array("float32[layers, tokens]")  # ‖∂ΣL/∂h(k)‖
    cell_gradient_last: np.ndarray | None = array("float32[layers, tokens]", optional=True)  # ‖∂L(last)/∂c(k)‖, LSTM
    cell_gradient_sum: np.ndarray | None = array("float32[layers, tokens]", optional=True)
    spectral_norms: np.ndarray | None = array("float32[layers]", optional=True)  # of a tanh RNN's recurrent matrices
    gradient_map: np.ndarray | None = array("float32[layers, tokens, tokens]", optional=True)  # ‖∂L(t)/∂h(k)‖


@part
class Memory:
    """What linear probes read, in the last state after each word, of the word k = 0, 1 … steps back; NaN: none."""

    remembered: np.ndarray = array("float32[steps, tokens]")  # the probability of the right word
    named: np.ndarray = array("float32[steps, tokens]")  # 1 where the right word is the likeliest, else 0
    probe_accuracy: np.ndarray = array("float32[steps]")  # on text that nobody learned from
    probe_baseline: np.ndarray = array("float32[steps]")  # of always naming the most frequent word


@part
class Path:
    """The last states in a plane that was fitted to other sentences: a point for each token."""

    points: np.ndarray = array("float32[layers, tokens, axes]")
    explained: np.ndarray = array("float32[layers, axes]")  # share of the variance of those other sentences
    spread: np.ndarray = array("float32[layers, limits, axes]")  # their smallest and largest coordinates


@part
class Neighbourhood:
    """The words nearest to each word, nearest first; an unknown word has none, its numbers are NaN and 0."""

    neighbours: tuple[tuple[str, ...], ...]  # [tokens][ranks]
    neighbour_cosines: np.ndarray = array("float32[tokens, ranks]")
    neighbour_vectors: np.ndarray = array("float32[tokens, ranks, units]")


@part
class Context:
    """Each token at each stage of an encoder (its word vector, that with its place, its state after each layer), less
    what all words have in common there; the pieces whose own vectors point most nearly the same way, nearest first."""

    centred: np.ndarray = array("float32[stages, tokens, units]")
    context_near: tuple[tuple[tuple[str, ...], ...], ...]  # [stages][tokens][neighbours]
    context_cosines: np.ndarray = array("float32[stages, tokens, neighbours]")
    different_words: np.ndarray = array("float32[stages]")  # median cosine of pairs of different words elsewhere
    same_words: np.ndarray = array("float32[stages]")  # … and of the same word in two sentences


@part
class Classification:
    """How likely a classifier finds each class of text, and after each token where it reads from left to right."""

    class_names: tuple[str, ...]
    class_probabilities: np.ndarray = array("float32[classes]")
    class_progress: np.ndarray | None = array("float32[tokens, classes]", optional=True)


@part
class Erasure:
    """What a classifier finds with one token erased, for each token of the text; NaN: the model's own tokens."""

    erased_probabilities: np.ndarray = array("float32[tokens, classes]")


@part
class Slope:
    """Gradient × input: ∇f·x of each word vector x with the log-odds f = ln(p/(1 − p)) of outcome `sloped`, in nats.

    NaN: the model's own tokens, and others that are not asked about.
    """

    sloped: int
    gradient_input: np.ndarray = array("float32[tokens]")


@part
class Attribution:
    """What tokens of a text are worth to p, the probability of the `chosen` outcome; NaN: those not among `counted`.

    An outcome is a class, a label, or a piece of the vocabulary; the answer is read at the token `place`.
    """

    place: int
    counted: tuple[int, ...]
    chosen: int
    outcomes: np.ndarray = array("float32[outcomes]")  # all probabilities
    admissible: np.ndarray = array("bool[outcomes]")  # which of them can be chosen: I- follows its own name only
    integrated_gradients: np.ndarray = array("float32[tokens]")  # add up to p − baseline, but for `incomplete`
    erasure: np.ndarray = array("float32[tokens]")  # p − p(token erased)
    baseline: float  # p with all `counted` tokens erased
    incomplete: float  # |Σ integrated gradients − (p − baseline)|
    head_off: np.ndarray = array("float32[layers, heads, outcomes]")  # all probabilities with one head switched off
    even: np.ndarray = array("float32[outcomes]")  # all probabilities where every token looks alike at all it may see

    def best(self, probabilities: np.ndarray) -> np.ndarray:
        """The outcomes that these probabilities [..., outcomes] make the model choose, [...]."""
        found: np.ndarray = np.where(self.admissible, probabilities, -1).argmax(-1)
        return found


@part
class Filling:
    """What a model puts in place of each token, hidden from it one at a time; NaN and −1 where none was hidden."""

    masked_loss: np.ndarray = array("float32[tokens]")  # −log p(token | all others) in nats
    masked_ids: np.ndarray = array("int64[tokens, fillings]")  # the likeliest there
    masked_probabilities: np.ndarray = array("float32[tokens, fillings]")
    words: tuple[tuple[str, ...], ...]  # [tokens][fillings]


class Machine(NamedTuple):
    """Where something was measured: cores that the process may use, and torch's version."""

    cores: int
    torch: str


@part
class Timing:
    """How long a network takes for texts of several lengths, measured on one machine; what it computes and keeps."""

    attempt: int  # 0 for the first measurement of this process
    measured_at: datetime
    machine: Machine
    lengths: np.ndarray = array("int64[lengths]")  # in tokens
    seconds: np.ndarray = array("float32[lengths, repetitions]")  # for a whole text in one call
    step_seconds: np.ndarray | None = array("float32[passes, steps]", optional=True)  # for each word, one by one
    kept_bytes: np.ndarray = array("int64[lengths]")  # the state, or all keys and values
    map_bytes: np.ndarray = array("int64[lengths]")  # the attention maps of one call
    linear: int  # multiply–adds of one call for each token
    quadratic: int  # and for each pair of tokens
    core_parameters: int  # without word vectors


class LabelledWord(NamedTuple):
    """A word and its label; `text[start:end]` of the typed text, decided at the token with this number."""

    start: int
    end: int
    token: int
    label: str


class Entity(NamedTuple):
    """A name that a model found: `text[start:end]` of the typed text, and its class."""

    start: int
    end: int
    name: str


@part
class Labelling:
    """How likely a model finds each label at each token; a word's label is decided at one of its tokens."""

    label_names: tuple[str, ...]
    label_probabilities: np.ndarray = array("float32[tokens, labels]")
    words: tuple[LabelledWord, ...]
    entities: tuple[Entity, ...]


class Check:
    """How far what is recomputed lies from what the named library computed in the same run, for each layer.

    `error` is one number for all layers, or a function for each, called when that layer is asked for. Where the library
    has only `reported` the attention, nothing is recomputed: then it is how far the rows are from summing to 1.
    """

    def __init__(self, error: float | Sequence[Callable[[], float]], against: str, reported: bool = False):
        self.against, self.reported = against, reported
        self._error = error
        self._known: dict[int, float] = {}

    def of(self, layer: int) -> float:
        """The error of one layer, counted from 0."""
        if isinstance(self._error, int | float):
            return self._error
        if layer not in self._known:
            self._known[layer] = self._error[layer]()
        return self._known[layer]

    def __repr__(self) -> str:
        return f"Check(against={self.against!r})"  # without the errors, which would have to be computed

    def __reduce__(self) -> tuple[Any, ...]:
        one = isinstance(self._error, int | float)
        known = self._error if one else [partial(float, self.of(layer)) for layer in range(self.layers)]
        return Check, (known, self.against, self.reported)

    @property
    def layers(self) -> int:
        """How many errors there are."""
        return 1 if isinstance(self._error, int | float) else len(self._error)

    @property
    def max_abs_error(self) -> float:
        """The largest error of any layer; what is no number is the largest of all."""
        return float(np.max([self.of(layer) for layer in range(self.layers)]))

    @classmethod
    def joined(cls, checks: Sequence["Check"]) -> "Check":
        """One check of all these layers, one after the other."""
        return cls([partial(check.of, layer) for check in checks for layer in range(check.layers)], checks[0].against)


@dataclass(frozen=True, kw_only=True, repr=False, eq=False)
class Trace:
    """One run: which model read which text, what it saw as tokens, and the parts that its experiment recorded.

    All other parts are None. A notebook shows which there are, with the shapes of their arrays. Each run is itself
    alone, though another may have the same numbers.
    """

    model: str
    text: str
    tokens: tuple[Token, ...]
    check: Check
    change: str | None = None  # what was done to the model before the run
    states: States | None = None
    positional: Positional | None = None
    recurrence: Recurrence | None = None
    attention: Attention | None = None
    prediction: Prediction | None = None
    gradient: Gradient | None = None
    memory: Memory | None = None
    path: Path | None = None
    neighbourhood: Neighbourhood | None = None
    context: Context | None = None
    classification: Classification | None = None
    erasure: Erasure | None = None
    labelling: Labelling | None = None
    filling: Filling | None = None
    expectation: Expectation | None = None
    sentence: Sentence | None = None
    written: Written | None = None
    decoding: Decoding | None = None
    slope: Slope | None = None
    attribution: Attribution | None = None
    timing: Timing | None = None

    def __post_init__(self) -> None:
        sizes = {"tokens": len(self.tokens)}
        for name, part_ in self.parts().items():  # a decoder's layers and heads are not those of the encoder
            check(part_, {"source_tokens": len(self.tokens)} if name == "decoding" else sizes)

    def __repr__(self) -> str:
        change = f", {self.change}" if self.change else ""
        first = f"Trace of {self.text!r} by {self.model}{change}: {len(self.tokens)} tokens"
        return "\n  ".join([first, *(f"{name}: {value!r}" for name, value in self.parts().items())])

    def parts(self) -> dict[str, Any]:
        """The parts that this run recorded, by name."""
        return {name: value for name, value in vars(self).items() if is_dataclass(value)}

    def lacking(self, fields: Iterable[str]) -> list[str]:
        """Those of the fields that this run has a place for and could not record."""
        parts = self.parts().values()
        return [name for name in fields if any(getattr(part_, name, name) is None for part_ in parts)]

    def arrays(self, wanted: Callable[[str], bool] = bool) -> Iterator[tuple[str, tuple[str, ...], np.ndarray]]:
        """Name, axes and values of every recorded array that is wanted, its layers joined."""
        return ((name, axes, np.asarray(value)) for name, axes, value in self._recorded() if wanted(name))

    @property
    def nbytes(self) -> int:
        """Size of what is kept in bytes; layers that are made when they are looked at count nothing."""
        return sum(value.nbytes for _, _, value in self._recorded())

    def _recorded(self) -> Iterator[tuple[str, tuple[str, ...], Array]]:
        for part_ in self.parts().values():
            for name, (_, axes) in array_fields(type(part_)).items():
                if (value := getattr(part_, name)) is not None:
                    yield name, axes, value
