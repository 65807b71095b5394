"""Reads the learned weights from their folders: float16 on disk, float32 in memory, and nothing left to chance.

Each reader takes a folder with model.safetensors and config.json, imports only what its model needs, and gives a module
in eval mode without gradients. A file with a number missing or one too many is a RuntimeError, never a silent default.
"""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import nn
    from transformers import BertForMaskedLM

    from models.recurrence import RecurrentLanguageModel

Network = TypeVar("Network", bound="nn.Module")


def configuration(folder: Path) -> dict[str, Any]:
    """What config.json says about the model in this folder."""
    found: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return found


def fingerprint(folder: Path) -> str:
    """Eight hexadecimal digits that name exactly these weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:8]


def read(folder: Path) -> "nn.Module":
    """The model in this folder, of whichever kind its configuration names; ValueError where none here fits."""
    config = configuration(folder)
    if "cell" in config:
        return recurrent(folder)
    if config.get("architectures") == ["BertForMaskedLM"] or config.get("model_type") == "bert":
        return masked_language_model(folder)
    raise ValueError(f"{folder / 'config.json'} describes no model that can be read here.")


def recurrent(folder: Path) -> "RecurrentLanguageModel":
    """A recurrent language model: rnn, lstm or gru."""
    from models.recurrence import RecurrentLanguageModel

    config = configuration(folder)
    # Not built on torch's meta device: drawing the recurrent weights there imports torch._refs, more than a second.
    model = RecurrentLanguageModel(config["cell"], config["vocabulary"], config["units"], config["layers"])
    return _filled(model, _numbers(folder))


def masked_language_model(folder: Path, attention: str = "eager") -> "BertForMaskedLM":
    """A BERT with its head for masked words; `attention` names the implementation that transformers shall call."""
    import torch
    from transformers.models.bert.configuration_bert import BertConfig
    from transformers.models.bert.modeling_bert import BertForMaskedLM

    config = BertConfig.from_dict(configuration(folder))
    config._attn_implementation = attention
    with torch.device("meta"):  # no memory and no random numbers for weights that the file replaces
        model = BertForMaskedLM(config)
    table = model.bert.embeddings  # its two buffers are not in the file
    positions = torch.arange(config.max_position_embeddings)[None]
    table.register_buffer("position_ids", positions, persistent=False)
    table.register_buffer("token_type_ids", torch.zeros_like(positions), persistent=False)
    numbers = _numbers(folder)
    ties: dict[str, str] = model.all_tied_weights_keys
    return _filled(model, numbers | {tied: numbers[source] for tied, source in ties.items() if source in numbers})


def _numbers(folder: Path) -> dict[str, "nn.Parameter"]:
    """All tensors of the file as float32 parameters."""
    from safetensors.torch import load_file
    from torch import nn

    tensors = load_file(folder / "model.safetensors")
    return {name: nn.Parameter(tensor.float(), requires_grad=False) for name, tensor in tensors.items()}


def _filled(model: Network, numbers: dict[str, "nn.Parameter"]) -> Network:
    """The model with these very parameters, so that tied ones stay one; RuntimeError unless they fit exactly."""
    model.load_state_dict(numbers, strict=True, assign=True)
    return model.eval().requires_grad_(False)
