"""The calls that the traces of a view make, without anything around them, and sentences of a length for them."""

import random
import time
from typing import Any

KINDS = ("bag_of_words", "feed_forward", "rnn", "lstm", "gru", "encoder")
VIEWS: dict[str, tuple[str, ...]] = {  # each with the models that its runs call
    "attention_map": ("encoder",),
    "attention_heads": ("encoder",),
    "attention_steps": ("encoder",),
    "positions": ("encoder",),
    "next_word": ("decoder",),
    "gates": ("lstm",),
    "hidden_states": ("lstm",),
    "trajectory": ("lstm",),
    "loss_per_step": ("lstm",),
    "memory": ("lstm", "probes of lstm"),
    "classification": tuple(f"{kind}-intent" for kind in KINDS),
    "gradient_flow": ("rnn", "lstm", "gru"),
    "four_lanes": ("rnn", "rnn", "lstm", "lstm", "gru", "gru", "encoder", "encoder"),
}
PROBES = "probes of "  # a model: the linear ones trained for its states, each as large as its output layer
LOOPED = ("gradient_flow",)  # measured against forward and backward through an explicit loop over the steps


class Sentences:
    """Sentences of as many tokens as wanted, no two alike, and the models that read them, in this process."""

    def __init__(self, seed: int):
        from models.tokenizer import tokenizer

        pieces = tokenizer()
        words = sorted(word for word in pieces.get_vocab() if word.isalpha() and len(word) > 1)
        self._words = [word for word in words if len(pieces.encode(word, add_special_tokens=False).ids) == 1]
        self._random = random.Random(seed)

    def new(self, view: str, tokens: int) -> str:
        """Words that are one piece each; [CLS], and the encoder's [SEP], are among the tokens."""
        own = 2 if VIEWS[view] == ("encoder",) else 1
        return " ".join(self._random.choices(self._words, k=tokens - own))

    def call(self, view: str, sentence: str) -> float:
        """Seconds of the exact calls that the traces of this sentence make, on one thread as in the server."""
        seconds = self._looped if view in LOOPED else self._called
        return sum(seconds(model, sentence) for model in VIEWS[view])

    def _looped(self, name: str, sentence: str) -> float:
        """Seconds of forward and backward through a loop over torch's cells, from the sum of the losses."""
        import torch

        from models import registry
        from models.families.recurrent import Recurrent
        from models.tokenizer import tokenize

        torch.set_num_threads(1)
        model = registry.load(name)
        assert isinstance(model, Recurrent)
        cells: list[torch.nn.RNNCellBase] = []
        for layer in model.layers:
            kind = {"RNN_TANH": torch.nn.RNNCell, "LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell}[layer.mode]
            cell = kind(layer.input_size, layer.hidden_size)
            cell.load_state_dict({key.removesuffix("_l0"): value for key, value in layer.state_dict().items()})
            cells.append(cell.requires_grad_(False))
        ids = torch.tensor([token.id for token in tokenize(sentence, 256)])
        started = time.perf_counter()
        inputs = model.network.vectors(ids).detach().requires_grad_()
        steps = list(inputs[:, None])
        for cell in cells:
            state = None
            for place, vector in enumerate(steps):
                state = cell(vector, state)
                steps[place] = state[0] if isinstance(state, tuple) else state
        logits = model.network.logits(torch.cat(steps))
        torch.autograd.grad(torch.nn.functional.cross_entropy(logits[:-1], ids[1:], reduction="sum"), inputs)
        return time.perf_counter() - started

    def _probed(self, name: str, sentence: str) -> float:
        """Seconds of the products that the probes of a model are, from its last states to scores of all words."""
        import torch

        from models import memory, registry
        from models.families.recurrent import Recurrent
        from models.tokenizer import tokenize

        torch.set_num_threads(1)
        model = registry.load(name)
        assert isinstance(model, Recurrent)
        matrices = memory.probes(name).matrices
        ids = torch.tensor([token.id for token in tokenize(sentence, 256)])
        with torch.inference_mode():
            states = model.call(ids)[1][-1]
            started = time.perf_counter()
            for k in range(min(len(matrices), len(ids) - 1)):
                states[k + 1 :] @ matrices[k] @ model.network.vectors.weight.T
            return time.perf_counter() - started

    def _called(self, name: str, sentence: str) -> float:
        if name.startswith(PROBES):
            return self._probed(name.removeprefix(PROBES), sentence)
        import torch

        from models import registry
        from models.families.encoder import Transformer
        from models.families.intents import Baseline
        from models.families.recurrent import Recurrent
        from models.tokenizer import tokenize

        torch.set_num_threads(1)
        model = registry.load(name)
        assert isinstance(model, Transformer | Recurrent | Baseline)
        start, end = not isinstance(model, Baseline), isinstance(model, Transformer)
        ids = torch.tensor([token.id for token in tokenize(sentence, 256, start=start, end=end)])
        if not isinstance(model, Recurrent):
            ids = ids[None]
        with torch.inference_mode():
            started = time.perf_counter()
            model.call(ids)
            return time.perf_counter() - started

    def passes(self, name: str, sentence: str) -> float:
        """Seconds of the bare passes of the experiment `attributions`, in the same batches, backward too."""
        import torch

        from models import registry
        from models.families.encoder import Transformer
        from models.run import Run, perform

        torch.set_num_threads(1)
        model = registry.load(name)
        assert isinstance(model, Transformer)
        made: list[tuple[tuple[int, ...], bool]] = []

        def noted(_module: Any, _values: Any, given: dict[str, Any]) -> None:
            vectors = given["input_ids"] if "inputs_embeds" not in given else given["inputs_embeds"]
            made.append((tuple(vectors.shape), vectors.requires_grad))

        handle = model.network.register_forward_pre_hook(noted, with_kwargs=True)
        try:
            trace = perform(Run(name, sentence, "attributions"))
        finally:
            handle.remove()
        assert trace.attribution is not None
        seconds = 0.0
        for (texts, tokens, *_), backward in made:
            vectors = torch.randn(texts, tokens, model.network.config.hidden_size, requires_grad=backward)
            with torch.set_grad_enabled(backward):
                started = time.perf_counter()
                chosen = model.scored(vectors, trace.attribution.place)[:, 0].sum()
                if backward:
                    torch.autograd.grad(chosen, vectors)
                seconds += time.perf_counter() - started
        return seconds
