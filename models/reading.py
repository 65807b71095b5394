"""Two ways to read a text, all of it in one call or word by word, and what each network computes and keeps.

Word vectors are looked up, the output over the vocabulary is left out: it is one and the same matrix product in all.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np

from models import registry, tokenizer
from models.planes import SENTENCES
from models.registry import Loaded

if TYPE_CHECKING:
    from torch import Tensor, nn
    from transformers import GPT2Model

    from models.families.encoder import Transformer
    from models.families.recurrent import Recurrent


@dataclass(frozen=True)
class Reader:
    """A network that reads prepared ids [tokens].

    `at_once` gives its last layer's states of the first so many tokens, [tokens, units]; `word_by_word`, where it can
    go on from what it kept, yields the state of one token after the other, [1, units]; `kept` is the size in bytes of
    what it keeps of so many tokens, and of its attention maps; `core` are its layers without the word vectors.
    """

    name: str
    at_once: Callable[[int], "Tensor"]
    word_by_word: Callable[[], Iterator["Tensor"]] | None
    kept: Callable[[int], "Kept"]
    core: "nn.Module"
    cost: "Cost"
    against: str  # the library whose call is compared with reading word by word


class Kept(NamedTuple):
    """Bytes: of the state, or the keys and values, and of the attention maps of one call."""

    state: int
    maps: int


class Cost(NamedTuple):
    """Multiply–adds of one call: `linear` for each token, `quadratic` for each pair of tokens.

    Counted are the matrix products; gates, softmax and normalisation are not. A token more, after T of them, costs
    linear + quadratic·T where keys and values are kept.
    """

    linear: int
    quadratic: int

    def of(self, tokens: int) -> int:
        """Reading so many tokens in one call."""
        return self.linear * tokens + self.quadratic * tokens**2


def prepared(count: int) -> "Tensor":
    """The ids of so many tokens of German text, [CLS] first."""
    import torch

    text = SENTENCES.read_text("utf-8").replace("\n", " ")
    ids = [token.id for token in tokenizer.tokenize(text[: 12 * count], 12 * count, end=False)]
    return torch.tensor(ids[:count])


def reader(name: str, ids: "Tensor") -> Reader:
    """The network of this name before these ids; loads it if need be."""
    from models.families.recurrent import Recurrent

    loaded = registry.load(name)
    return recurrent(name, loaded, ids) if isinstance(loaded, Recurrent) else transformer(name, loaded, ids)


def recurrent(name: str, loaded: "Recurrent", ids: "Tensor") -> Reader:
    """Whole texts by torch's fused layers, word by word by the same layers, called with the state before."""
    import torch

    network, layers = loaded.network, loaded.layers

    def at_once(tokens: int) -> "Tensor":
        x: Tensor = network.vectors(ids[:tokens])
        for layer in layers:
            x = layer(x)[0]
        return x

    def word_by_word() -> Iterator["Tensor"]:
        states = [None] * len(layers)
        for word in torch.split(ids, 1):
            x = network.vectors(word)
            for number, layer in enumerate(layers):
                x, states[number] = layer(x, states[number])
            yield x

    def kept(tokens: int) -> Kept:
        x, found = network.vectors(ids[:tokens]), 0
        for layer in layers:
            x, state = layer(x)
            found += sum(part.nbytes for part in (state if isinstance(state, tuple) else (state,)))
        return Kept(found, 0)

    linear = sum(matrix.numel() for layer in layers for matrix in layer.parameters() if matrix.ndim == 2)
    against = f"torch.nn.{type(layers[0]).__name__}"
    return Reader(name, at_once, word_by_word, kept, network.layers, Cost(linear, 0), against)


def transformer(name: str, loaded: Loaded, ids: "Tensor") -> Reader:
    """Whole texts in one call; a decoder word by word too, with the keys and values that it kept."""
    from models import capture

    network = cast("Transformer", loaded).network
    body: Any = getattr(network, network.base_model_prefix, network)
    causal = hasattr(body, "h")  # a GPT-2
    core: nn.Module = body.h if causal else body.encoder

    def at_once(tokens: int) -> "Tensor":
        return cast("Tensor", body(input_ids=ids[None, :tokens]).last_hidden_state[0])

    def kept(tokens: int) -> Kept:
        with capture.recording() as calls:
            at_once(tokens)
        return Kept(
            sum(call.key.nbytes + call.value.nbytes for call in calls), sum(call.attention.nbytes for call in calls)
        )

    config = body.config
    linear = sum(matrix.numel() for matrix in core.parameters() if matrix.ndim == 2)
    cost = Cost(linear, 2 * config.hidden_size * config.num_hidden_layers)  # q·k and the mixing of values
    again = (lambda: cached(body, ids)) if causal else None
    return Reader(name, at_once, again, kept, core, cost, "transformers" if again else "torch.utils.flop_counter")


def cached(body: "GPT2Model", ids: "Tensor") -> Iterator["Tensor"]:
    """A GPT-2 that is given one id after the other, and keeps all keys and values."""
    import torch
    from transformers import DynamicCache

    cache = DynamicCache(config=body.config)
    for word in torch.split(ids, 1):
        yield body(input_ids=word[None], cache=cache, use_cache=True).last_hidden_state[0]


def counted(reader: Reader, tokens: int) -> int:
    """Multiply–adds of one call as torch counts them while it runs; fused recurrent layers escape it."""
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(display=False) as counter:
        reader.at_once(tokens)
    return int(counter.get_total_flops()) // 2


def disagreement(reader: Reader, tokens: int) -> float:
    """How far the states read word by word lie from those of one call; where there are none, how far, as a share, the
    formula of multiply–adds lies from what torch counts."""
    if reader.word_by_word is None:
        return abs(counted(reader, tokens) / reader.cost.of(tokens) - 1)
    whole = reader.at_once(tokens).numpy()
    words = np.concatenate([state.numpy() for _, state in zip(range(tokens), reader.word_by_word(), strict=False)])
    return float(np.abs(words - whole).max())
