"""What all fine-tuning shares: a network that goes on from a pre-trained one, labelled examples, and their batches."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers.models.bert.modeling_bert import BertForSequenceClassification, BertForTokenClassification

from models import weights as files
from models.classifiers import RecurrentClassifier
from models.recurrence import CELLS, Cell
from models.tokenizer import CLS, PAD, SEP, tokenizer
from models.training import encoder, recurrent
from models.training.lesson import Job
from models.training.text import grouped, padded

NO_TARGET = -100  # what torch's cross-entropy passes over
DROPOUT = 0.1  # of an encoder while it is fine-tuned
WORD_VECTORS = (".word_embeddings.weight", "vectors.weight")  # how the names of these tensors end
Batch = tuple[Tensor, Tensor]


class Example(NamedTuple):
    """A text as a network reads it, int64[tokens], and what it shall answer, int64[1] or int64[tokens]."""

    ids: np.ndarray
    targets: np.ndarray


def batches(epoch: Callable[[int], list[Example]], seed: int, tokens: int, start: int = 0) -> Iterator[Batch]:
    """Endless padded batches of about `tokens` tokens each, from batch number `start` on; one seed, one order."""
    number, seen = 0, 0
    while True:
        examples = epoch(number)
        random = np.random.default_rng([seed, number, 1])
        for group in grouped([len(example.ids) for example in examples], tokens, random):
            if seen >= start:
                ids, targets = zip(*(examples[index] for index in group), strict=True)
                yield torch.from_numpy(padded(ids)), torch.from_numpy(padded(targets, NO_TARGET))
            seen += 1
        number += 1


def network(job: Job, kind: str, classes: Sequence[str], of_tokens: bool) -> tuple[nn.Module, dict[str, Any]]:
    """A classifier of this kind (rnn, lstm, gru, encoder), gone on from the model of that name, and its configuration.

    If the job is to learn from scratch, all numbers are random instead.
    """
    vocabulary = tokenizer().get_vocab_size()
    model: nn.Module
    if kind in CELLS:
        sizes = {"cell": kind, "vocabulary": vocabulary, "units": job.units, "layers": recurrent.LAYERS}
        model = RecurrentClassifier(cast(Cell, kind), vocabulary, job.units, recurrent.LAYERS, classes)
        config = {"model_type": "recurrent_classifier", **sizes, "classes": list(classes)}
    else:
        plan = encoder.configuration(job.units)
        plan.id2label = dict(enumerate(classes))
        plan.label2id = {name: number for number, name in enumerate(classes)}
        plan.hidden_dropout_prob = plan.attention_probs_dropout_prob = DROPOUT
        model = BertForTokenClassification(plan) if of_tokens else BertForSequenceClassification(plan)
        config = plan.to_dict() | {"architectures": [type(model).__name__]}
    return model, config if job.from_scratch else config | {"base": take_over(model, job.weights / kind)}


def take_over(model: nn.Module, folder: Path) -> dict[str, str]:
    """Fills a classifier with the numbers of the pre-trained model in the folder; gives name and weights of that."""
    source = cast(nn.Module, files.read(folder)).state_dict()
    model.load_state_dict({name: source[name] for name in source if name in model.state_dict()}, strict=False)
    return {"model": folder.name, "weights": files.fingerprint(folder)}


def borrow_vectors(model: nn.Module, config: dict[str, Any]) -> None:
    """Freezes the word vectors, which stay in the file of the pre-trained model; without one, all is learned."""
    if "base" in config:
        (vectors,) = (name for name, _ in model.named_parameters() if name.endswith(WORD_VECTORS))
        model.get_parameter(vectors).requires_grad_(False)
        config["base"]["tensor"] = vectors


def own(config: dict[str, Any]) -> Callable[[str], bool]:
    """Which tensors go into a classifier's file: all but what it finds in the file of another model."""
    borrowed = config.get("base", {}).get("tensor")
    return lambda name: name != borrowed


def framed(model: nn.Module, ids: Sequence[int]) -> list[int]:
    """The ids as this network reads them: an encoder between [CLS] and [SEP], a recurrent one after a [CLS]."""
    if isinstance(model, (BertForSequenceClassification, BertForTokenClassification)):
        return [CLS, *ids, SEP]
    return [CLS, *ids] if isinstance(model, RecurrentClassifier) else [*ids]


def reads_from_left(model: nn.Module) -> bool:
    """Whether the network knows at each token only what stands before it."""
    return isinstance(model, RecurrentClassifier)


def class_names(model: nn.Module) -> tuple[str, ...]:
    """The classes that a classifier tells apart, in the order of its logits; none for another network."""
    if isinstance(model, (BertForSequenceClassification, BertForTokenClassification)):
        return tuple((model.config.id2label or {}).values())
    return getattr(model, "classes", ())


def token_logits(model: nn.Module, ids: Tensor) -> Tensor:
    """The score of each class at each token, [texts, tokens, classes]."""
    logits: Tensor
    if isinstance(model, RecurrentClassifier):
        logits = model.logits(model(ids))
    else:
        logits = model(ids, attention_mask=(ids != PAD).long()).logits
    return logits


def sentence_logits(model: nn.Module, ids: Tensor) -> Tensor:
    """The score of each class for the whole text, [texts, classes]; a recurrent network's after the last token."""
    logits: Tensor
    if isinstance(model, RecurrentClassifier):
        last = (ids != PAD).sum(1) - 1
        logits = model.logits(model(ids)[torch.arange(len(ids)), last])
    elif isinstance(model, BertForSequenceClassification):
        logits = model(ids, attention_mask=(ids != PAD).long()).logits
    else:
        logits = model(ids)
    return logits
