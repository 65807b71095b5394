"""Reads the learned weights from their folders: float16 on disk, float32 in memory, and nothing left to chance.

Each reader takes a folder with model.safetensors and config.json, imports only what its model needs, and gives a module
in eval mode without gradients. A file with a number missing or one too many is a RuntimeError, never a silent default.
"""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from torch import nn
    from transformers import BertForMaskedLM, GPT2LMHeadModel, MarianMTModel, PreTrainedModel

    from models.recurrence import RecurrentLanguageModel
    from models.translation import Translator
    from models.word_vectors import WordVectors

Network = TypeVar("Network", bound="nn.Module")


def configuration(folder: Path) -> dict[str, Any]:
    """What config.json says about the model in this folder."""
    found: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return found


def fingerprint(folder: Path) -> str:
    """Eight hexadecimal digits that name exactly these weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()[:8]


def read(folder: Path) -> "nn.Module | WordVectors":
    """The model in this folder, of whichever kind its configuration names; ValueError where none here fits."""
    config = configuration(folder)
    if "cell" in config:
        return recurrent(folder)
    if reader := READERS.get(config.get("model_type", "")):
        return reader(folder)
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
    return _filled(model, _tied(model, _numbers(folder)))


def next_word_model(folder: Path, attention: str = "eager") -> "GPT2LMHeadModel":
    """A GPT-2 with its head for the next word; `attention` as for the masked language model."""
    import torch
    from transformers.models.gpt2.configuration_gpt2 import GPT2Config
    from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel

    config = GPT2Config.from_dict(configuration(folder))
    config._attn_implementation = attention
    with torch.device("meta"):
        model = GPT2LMHeadModel(config)
    return _filled(model, _tied(model, _numbers(folder)))


def translator(folder: Path, attention: str = "eager") -> "Translator":
    """A Marian with the tokenizer of its English side; `attention` as for the masked language model."""
    import torch
    from tokenizers import Tokenizer
    from transformers.models.marian.configuration_marian import MarianConfig
    from transformers.models.marian.modeling_marian import MarianMTModel

    from models.translation import Translator

    config = MarianConfig.from_dict(configuration(folder))
    config._attn_implementation = attention
    with torch.device("meta"):
        model = MarianMTModel(config)
    network = _filled(model, _tied(model, _numbers(folder) | _computed(model)))
    return Translator(network, Tokenizer.from_file(str(folder / "english.json"))).eval()


def word_vectors(folder: Path) -> "WordVectors":
    """Vectors of whole words, with the words in the order of the rows."""
    from safetensors.numpy import load_file

    from models.word_vectors import WordVectors

    words = (folder / "words.txt").read_text(encoding="utf-8").splitlines()
    return WordVectors(tuple(words), load_file(folder / "model.safetensors")["vectors"].astype("float32"))


READERS: "dict[str, Callable[[Path], nn.Module | WordVectors]]" = {  # by the model_type in config.json
    "bert": masked_language_model,
    "gpt2": next_word_model,
    "marian": translator,
    "word_vectors": word_vectors,
}


def _computed(model: "MarianMTModel") -> dict[str, "nn.Parameter"]:
    """What a Marian does not learn: its sinusoidal positions on both sides, and a bias of zero."""
    import torch
    from torch import nn

    table = model.get_encoder().embed_positions
    with torch.device("cpu"):
        empty = type(table)(*table.weight.shape)
        positions = nn.Parameter(empty.create_weight(), requires_grad=False)
    bias = nn.Parameter(torch.zeros(model.final_logits_bias.shape), requires_grad=False)
    sides = {f"model.{side}.embed_positions.weight": positions for side in ("encoder", "decoder")}
    return {**sides, "final_logits_bias": bias}


def _tied(model: "PreTrainedModel", numbers: dict[str, "nn.Parameter"]) -> dict[str, "nn.Parameter"]:
    """The parameters with those added under a second name that the model shares."""
    ties: dict[str, str] = model.all_tied_weights_keys
    return numbers | {tied: numbers[source] for tied, source in ties.items() if source in numbers}


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
