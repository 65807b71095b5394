"""Trains a model: python -m models.training.train MODEL --corpora FOLDER; interrupted, the same command goes on."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, cast

import numpy as np
import torch
import typer
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import BertConfig, BertForMaskedLM

from models.recurrence import CELLS, Cell, RecurrentLanguageModel
from models.tokenizer import PAD, TOKENIZER_FILE, WEIGHTS, tokenizer
from models.training import language, text
from models.training import tokenizer as pieces
from models.training.loop import Progress, Recipe, fit

UNITS = 192
RECURRENT = Recipe(steps=4_000, batch_tokens=2_048, learning_rate=2e-3)
ENCODER = Recipe(steps=8_000, batch_tokens=1_280, learning_rate=1e-3, warmup=500)
SIMPLE_EPOCHS = {"encoder": 1}
ORDER = ["tokenizer", "lstm", "gru", "rnn", "encoder"]


def build(name: str) -> RecurrentLanguageModel | BertForMaskedLM:
    """The model before it has learned anything."""
    vocabulary = tokenizer().get_vocab_size()
    if name in CELLS:
        return RecurrentLanguageModel(cast(Cell, name), vocabulary, UNITS, layers=2)
    config = BertConfig(
        vocab_size=vocabulary, hidden_size=UNITS, num_hidden_layers=4, num_attention_heads=4,
        intermediate_size=4 * UNITS, max_position_embeddings=text.LONGEST, type_vocab_size=1, pad_token_id=PAD,
        hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
    )  # fmt: skip
    return BertForMaskedLM(config)


def train(
    model: Annotated[str, typer.Argument(help=f"one of {', '.join(ORDER)}, or all")],
    corpora: Annotated[Path, typer.Option(help="the folder of the corpora (see models/training/README.md)")],
    checkpoints: Annotated[Path, typer.Option(help="where an interrupted run goes on from")] = Path("checkpoints"),
    steps: Annotated[int, typer.Option(help="instead of the recipe's number of updates; 0: the recipe's")] = 0,
    go_on: Annotated[bool, typer.Option(help="start from the weights in the repository")] = False,
    weights: Annotated[Path, typer.Option(help="where to write the result")] = WEIGHTS,
) -> None:
    """Trains one model, or all in their order, and writes weights, configuration and learning curve."""
    for name in ORDER if model == "all" else [model]:
        if name == "tokenizer":
            if model != "all" or not TOKENIZER_FILE.exists():
                pieces.train(corpora)
        else:
            train_model(name, corpora, checkpoints, steps, go_on, weights)


def train_model(name: str, corpora: Path, checkpoints: Path, steps: int, go_on: bool, weights: Path) -> None:
    """One model from its start (skip-gram vectors or the weights of the run before) to its files."""
    recipe = ENCODER if name == "encoder" else RECURRENT
    if steps:
        recipe = Recipe(**asdict(recipe) | {"steps": steps, "warmup": min(recipe.warmup, steps // 4)})
    torch.manual_seed(recipe.seed)
    texts = text.read(corpora, checkpoints)
    network = build(name)
    if go_on:
        stored = load_file(weights / name / "model.safetensors")
        network.load_state_dict({key: value.float() for key, value in stored.items()}, strict=False)
    loss_of: Callable[[np.ndarray], tuple[Tensor, int]]
    if isinstance(network, RecurrentLanguageModel):
        frequency = language.frequencies(texts, len(network.bias))
        loss_of = partial(language.next_piece_loss, network, frequency)
        if not go_on:
            language.start_recurrent(network, texts, recipe.seed, checkpoints)
    else:
        loss_of = partial(language.masked_piece_loss, network)
        if not go_on:
            language.start_encoder(network, texts, recipe.seed, checkpoints)

    def batches_from(first: int) -> Iterator[np.ndarray]:
        return text.batches(texts, recipe.seed + 100 * go_on, recipe.batch_tokens, SIMPLE_EPOCHS.get(name, 0), first)

    checkpoint = checkpoints / f"{name}.pt"
    progress = fit(network, loss_of, batches_from, recipe, checkpoint)
    write(name, network, recipe, progress, weights / name)
    checkpoint.unlink(missing_ok=True)  # the run is over; the next one starts from the weights or anew


def write(
    name: str, network: RecurrentLanguageModel | BertForMaskedLM, recipe: Recipe, progress: Progress, folder: Path
) -> None:
    """model.safetensors (float16, shared tensors once), config.json and learning_curve.json."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {key: value.half().contiguous() for key, value in network.state_dict().items() if value.is_floating_point()}
    if isinstance(network, RecurrentLanguageModel):
        vocabulary, units = network.vectors.weight.shape
        config = {"cell": name, "vocabulary": vocabulary, "units": units, "layers": network.layers.num_layers}
    else:
        config = network.config.to_dict()
        for shared in network.all_tied_weights_keys:
            state.pop(shared, None)
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(json.dumps(config, indent=1, sort_keys=True) + "\n")
    curve = {
        "parameters": language.parameters(network),
        "recipe": asdict(recipe),
        "minutes": round(progress.seconds / 60, 1),
        "tokens": progress.tokens,
        "tokens_per_second": round(progress.tokens / max(progress.seconds, 1e-9)),
        "loss": progress.curve,
    }
    (folder / "learning_curve.json").write_text(json.dumps(curve) + "\n")


if __name__ == "__main__":
    typer.run(train)
