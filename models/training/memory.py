"""Probes of the memory: what a linear map can still read of earlier words in a recurrent network's last state.

python -m models.training.memory MODEL --corpora FOLDER. For each k from 0 to 16 a square matrix W learns to turn the
state after word t into the model's own vector of word t − k. Learned and tested on text that the model has never seen,
the articles of the validation files, tested on every fifth paragraph of Klexikon, learned from the others.
"""

import json
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from safetensors.torch import save_file
from torch import Tensor
from tqdm import tqdm

from models import weights as files
from models.memory import STEPS
from models.recurrence import RecurrentLanguageModel
from models.tokenizer import CLS, WEIGHTS, tokenizer
from models.training import corpora as sources
from models.training.faults import Fault, told
from models.training.language import sampled_softmax

FILES = ("text_klexikon/klexikon.validation.txt.gz", "text_klexikon/wiki.validation.txt.gz")
TEST_EVERY = 5  # paragraphs of the first file
LONGEST = 256
LEARNED_FROM = 250_000  # tokens
TESTED_ON = 6_000
BATCH = 512
EPOCHS = 2
LEARNING_RATE = 2e-3


def sentences(folder: Path) -> tuple[list[list[int]], list[list[int]]]:
    """Token ids of the sentences to learn from and to test on, each begun with [CLS]; a paragraph stays together."""
    learned: list[list[int]] = []
    tested: list[list[int]] = []
    for number, file in enumerate(FILES):
        for place, paragraph in enumerate(sources.paragraphs(folder / file)):
            chosen = tested if number == 0 and place % TEST_EVERY == 0 else learned
            for sentence in paragraph:
                ids = [CLS, *tokenizer().encode(sentence, add_special_tokens=False).ids]
                chosen.append(ids[:LONGEST])
    return learned, tested


def pairs(network: RecurrentLanguageModel, texts: list[list[int]], most: int) -> tuple[Tensor, Tensor]:
    """Last states [n, units] and for each the words k = 0, 1 … 16 steps back, [n, 17]; −1 where the text has none."""
    states, words, count = [], [], 0
    for ids in texts:
        if len(ids) < STEPS + 2:
            continue
        with torch.inference_mode():
            states.append(network(torch.tensor([ids]))[0, STEPS + 1 :])
        row = torch.tensor(ids)
        words.append(torch.stack([row[STEPS + 1 - k : len(ids) - k] for k in range(STEPS + 1)], dim=1))
        count += len(states[-1])
        if count >= most:
            break
    return torch.cat(states).clone(), torch.cat(words)


def learn(network: RecurrentLanguageModel, states: Tensor, words: Tensor, seed: int) -> Tensor:
    """The matrices, [17, units, units]."""
    torch.manual_seed(seed)
    units = states.shape[1]
    probes = torch.nn.Parameter(torch.stack([torch.eye(units)] * (STEPS + 1)))
    vectors = network.vectors.weight.detach()
    frequency = torch.bincount(words.flatten(), minlength=len(vectors)).float() + 1
    frequency /= frequency.sum()
    optimizer = torch.optim.Adam([probes], LEARNING_RATE)
    random = np.random.default_rng(seed)
    total = EPOCHS * (len(states) // BATCH)
    no_bias = torch.zeros(len(vectors))
    with tqdm(total=total, unit="step") as progress:
        for _ in range(EPOCHS):
            order = torch.from_numpy(random.permutation(len(states)))
            for start in range(0, len(order) - BATCH + 1, BATCH):
                rows = order[start : start + BATCH]
                optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1 - progress.n / total)
                loss = torch.stack(
                    [
                        sampled_softmax(states[rows] @ probe, words[rows, k], vectors, no_bias, frequency)
                        for k, probe in enumerate(probes)
                    ]
                ).mean()
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                optimizer.step()
                progress.update()
                progress.set_postfix_str(f"loss {loss.item():.3f}", refresh=False)
    return probes.detach()


def accuracies(network: RecurrentLanguageModel, probes: Tensor, states: Tensor, words: Tensor) -> list[float]:
    """How often the likeliest word is the right one, for each k."""
    found = []
    with torch.inference_mode():
        for k, probe in enumerate(probes):
            best = torch.cat(
                [(part @ probe @ network.vectors.weight.T).argmax(-1) for part in torch.split(states, 1_000)]
            )
            found.append(round(float((best == words[:, k]).float().mean()), 5))
    return found


@told()
def train(
    model: Annotated[str, typer.Argument(help="rnn, lstm or gru")],
    corpora: Annotated[Path, typer.Option(help="the folder of the corpora (see models/training/README.md)")],
    seed: Annotated[int, typer.Option(help="the order of the text")] = 1,
    weights: Annotated[Path, typer.Option(help="the folder of the models")] = WEIGHTS,
) -> None:
    """Learns the probes of one model and writes memory.safetensors and memory.json beside its weights."""
    network = files.read(weights / model)
    if not isinstance(network, RecurrentLanguageModel):
        raise Fault(f"'{model}' is no recurrent language model; rnn, lstm and gru are.")
    learned, tested = sentences(corpora)
    states, words = pairs(network, learned, LEARNED_FROM)
    probes = learn(network, states, words, seed).half()
    test_states, test_words = pairs(network, tested, TESTED_ON)
    usual = torch.stack([torch.bincount(column).argmax() for column in words.T])  # most often so many steps back
    said: dict[str, Any] = {
        "weights": files.fingerprint(weights / model),
        "learned_from": len(states),
        "tested_on": len(test_states),
        "seed": seed,
        "accuracy": accuracies(network, probes.float(), test_states, test_words),
        "baseline": [round(float(share), 5) for share in (test_words == usual).float().mean(0)],
    }
    save_file({"probes": probes}, weights / model / "memory.safetensors")
    (weights / model / "memory.json").write_text(json.dumps(said, indent=1) + "\n", "utf-8")
    (weights / model / "memory.safetensors").chmod(0o644)
    typer.echo(json.dumps(said))


if __name__ == "__main__":
    typer.run(train)
