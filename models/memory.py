"""What the last state of a recurrent network still knows of earlier words, as far as linear probes can read it.

The probes are trained by models/training/memory.py and lie beside the weights of their model.
"""

import json
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from models import registry
from models.errors import ModelUnavailable
from models.run import Run
from models.trace import Memory, Trace

if TYPE_CHECKING:
    from torch import Tensor

STEPS = 16  # the probes look so many words back


class Probes(NamedTuple):
    """Matrices [17, units, units], and how often they are right on text that nobody learned from, [17] each."""

    matrices: "Tensor"
    accuracy: np.ndarray
    baseline: np.ndarray


@cache
def probes(name: str) -> Probes:
    """The probes of a model; raises ModelUnavailable where there are none or they belong to other weights."""
    from safetensors.torch import load_file

    model = registry.get(name)
    try:
        told = json.loads((model.folder / "memory.json").read_text("utf-8"))
        matrices = load_file(model.folder / "memory.safetensors")["probes"].float()
    except OSError as error:
        raise ModelUnavailable(f"{name} has no probes; models.training.memory trains them ({error})") from error
    if told["weights"] != model.hash:
        raise ModelUnavailable(f"the probes of {name} belong to weights {told['weights']}, not {model.hash}")
    return Probes(matrices, *(np.array(told[key], np.float32) for key in ("accuracy", "baseline")))


def trace(run: Run) -> Trace:
    """The forward run, and for each word and k how likely the probe finds the word that stood k steps before."""
    import torch

    from models.families.recurrent import Recurrent

    loaded = registry.load(run.model)
    assert isinstance(loaded, Recurrent)
    found = loaded.forward(run.text)
    known = probes(run.model)
    assert found.states is not None and found.states.hidden is not None
    ids = torch.tensor([token.id for token in found.tokens])
    likely = torch.full((STEPS + 1, len(ids)), torch.nan)
    first = torch.full((STEPS + 1, len(ids)), torch.nan)
    with torch.inference_mode():
        states = torch.from_numpy(np.asarray(found.states.hidden[-1]))
        for k in range(min(STEPS + 1, len(ids) - 1)):  # [CLS] is no word to remember
            scores = states[k + 1 :] @ known.matrices[k] @ loaded.network.vectors.weight.T
            right = ids[1 : len(ids) - k, None]
            shares = scores.softmax(-1)
            likely[k, k + 1 :] = shares.gather(1, right)[:, 0]
            first[k, k + 1 :] = (likely[k, k + 1 :] == shares.amax(-1)).float()
    memory = Memory(
        remembered=likely.numpy(), named=first.numpy(), probe_accuracy=known.accuracy, probe_baseline=known.baseline
    )
    return replace(found, memory=memory)
