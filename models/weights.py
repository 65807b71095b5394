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
    from torch import Tensor, nn
    from transformers import (
        BertForMaskedLM,
        BertForSequenceClassification,
        BertForTokenClassification,
        GPT2LMHeadModel,
        MarianMTModel,
        PreTrainedConfig,
        PreTrainedModel,
    )

    from models.classifiers import BagOfWords, FeedForward, RecurrentClassifier
    from models.recurrence import RecurrentLanguageModel
    from models.translation import Translator
    from models.word_vectors import WordVectors

Network = TypeVar("Network", bound="nn.Module")
Bert = TypeVar("Bert", "BertForMaskedLM", "BertForSequenceClassification", "BertForTokenClassification")


def configuration(folder: Path) -> dict[str, Any]:
    """What config.json says about the model in this folder."""
    found: dict[str, Any] = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return found


def fingerprint(folder: Path) -> str:
    """Eight hexadecimal digits that name exactly these weights."""
    found = hashlib.sha256()
    for file in files(folder):
        with file.open("rb") as content:
            while part := content.read(2**24):
                found.update(part)
    return found.hexdigest()[:8]


def files(folder: Path) -> list[Path]:
    """The file of the learned numbers, or all files of a model from elsewhere that is too large for one."""
    index = folder / "model.safetensors.index.json"
    if (folder / "model.safetensors").exists() or not index.exists():
        return [folder / "model.safetensors"]
    names: dict[str, str] = json.loads(index.read_text(encoding="utf-8"))["weight_map"]
    return [folder / Path(name).name for name in sorted(set(names.values()))]


def read(folder: Path) -> "nn.Module | WordVectors":
    """The model in this folder, of whichever kind its configuration names; ValueError where none here fits."""
    config = configuration(folder)
    (kind,) = config.get("architectures") or [config.get("model_type", "")]
    if reader := READERS.get(kind):
        return reader(folder)
    if "cell" in config:
        return recurrent(folder)
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
    from transformers.models.bert.modeling_bert import BertForMaskedLM

    return _bert(BertForMaskedLM, folder, attention)


def sentence_encoder(folder: Path, attention: str = "eager") -> "BertForSequenceClassification":
    """A BERT with a head for the classes of a text; `attention` as for the masked language model."""
    from transformers.models.bert.modeling_bert import BertForSequenceClassification

    return _bert(BertForSequenceClassification, folder, attention)


def token_encoder(folder: Path, attention: str = "eager") -> "BertForTokenClassification":
    """A BERT with a head for the classes of each token; `attention` as for the masked language model."""
    from transformers.models.bert.modeling_bert import BertForTokenClassification

    return _bert(BertForTokenClassification, folder, attention)


def recurrent_classifier(folder: Path) -> "RecurrentClassifier":
    """A recurrent network with a head that scores classes after each token."""
    from models.classifiers import RecurrentClassifier

    return _built(RecurrentClassifier, folder)


def bag_of_words(folder: Path) -> "BagOfWords":
    """The classifier that knows no order."""
    from models.classifiers import BagOfWords

    return _built(BagOfWords, folder)


def feed_forward(folder: Path) -> "FeedForward":
    """The classifier that sees a fixed window."""
    from models.classifiers import FeedForward

    return _built(FeedForward, folder)


def next_word_model(folder: Path, attention: str = "eager") -> "GPT2LMHeadModel":
    """A GPT-2 with its head for the next word; `attention` as for the masked language model."""
    from transformers.models.gpt2.configuration_gpt2 import GPT2Config
    from transformers.models.gpt2.modeling_gpt2 import GPT2LMHeadModel

    model = _empty(GPT2LMHeadModel, GPT2Config.from_dict(configuration(folder)), attention)
    return _filled(model, _tied(model, _numbers(folder)))


def translator(folder: Path, attention: str = "eager") -> "Translator":
    """A Marian with the tokenizer of its English side; `attention` as for the masked language model."""
    from tokenizers import Tokenizer
    from transformers.models.marian.configuration_marian import MarianConfig
    from transformers.models.marian.modeling_marian import MarianMTModel

    from models.translation import Translator

    model = _empty(MarianMTModel, MarianConfig.from_dict(configuration(folder)), attention)
    network = _filled(model, _tied(model, _numbers(folder) | _computed(model)))
    return Translator(network, Tokenizer.from_file(str(folder / "english.json"))).eval()


def word_vectors(folder: Path) -> "WordVectors":
    """Vectors of whole words, with the words in the order of the rows."""
    from safetensors.numpy import load_file

    from models.word_vectors import WordVectors

    words = (folder / "words.txt").read_text(encoding="utf-8").splitlines()
    return WordVectors(tuple(words), load_file(folder / "model.safetensors")["vectors"].astype("float32"))


# By the architecture that config.json names, or else by its model_type.
READERS: "dict[str, Callable[[Path], nn.Module | WordVectors]]" = {
    "BertForSequenceClassification": sentence_encoder,
    "BertForTokenClassification": token_encoder,
    "bag_of_words": bag_of_words,
    "bert": masked_language_model,
    "feed_forward": feed_forward,
    "gpt2": next_word_model,
    "marian": translator,
    "recurrent_classifier": recurrent_classifier,
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
    """All tensors of the file, and what is borrowed from another one, as float32 parameters."""
    from safetensors.torch import load_file
    from torch import nn

    tensors = load_file(folder / "model.safetensors") | _borrowed(folder)
    return {name: nn.Parameter(tensor.float(), requires_grad=False) for name, tensor in tensors.items()}


def _borrowed(folder: Path) -> dict[str, "Tensor"]:
    """The word vectors that a fine-tuned model left in the file of the model it went on from."""
    from safetensors import safe_open

    base = configuration(folder).get("base", {})
    if "tensor" not in base:
        return {}
    lender = folder.parent / base["model"]
    if (found := fingerprint(lender)) != base["weights"]:
        raise RuntimeError(
            f"{folder.name} was fine-tuned from the weights {base['weights']} of {lender.name}, which now has {found}: "
            f"train {folder.name} again"
        )
    with safe_open(lender / "model.safetensors", framework="pt") as file:
        return {base["tensor"]: file.get_tensor(base["tensor"])}


def _bert(kind: type[Bert], folder: Path, attention: str) -> Bert:
    """A BERT with this head."""
    import torch
    from transformers.models.bert.configuration_bert import BertConfig

    config = BertConfig.from_dict(configuration(folder))
    model = _empty(kind, config, attention)
    table = model.bert.embeddings  # its two buffers are not in the file
    positions = torch.arange(config.max_position_embeddings)[None]
    table.register_buffer("position_ids", positions, persistent=False)
    table.register_buffer("token_type_ids", torch.zeros_like(positions), persistent=False)
    return _filled(model, _tied(model, _numbers(folder)))


def _empty(kind: Callable[[Any], Network], config: "PreTrainedConfig", attention: str) -> Network:
    """A network of transformers without memory or random numbers for weights, which the file replaces."""
    import torch

    config._attn_implementation = attention
    with torch.device("meta"):
        return kind(config)


def _built(kind: Callable[..., Network], folder: Path) -> Network:
    """A network of our own, made from its configuration."""
    config = configuration(folder)
    sizes = {name: value for name, value in config.items() if name not in ("model_type", "base")}
    return _filled(kind(**sizes), _numbers(folder))


def _filled(model: Network, numbers: dict[str, "nn.Parameter"]) -> Network:
    """The model with these very parameters, so that tied ones stay one; RuntimeError unless they fit exactly."""
    model.load_state_dict(numbers, strict=True, assign=True)
    return model.eval().requires_grad_(False)
