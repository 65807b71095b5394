"""What a training leaves behind: model.safetensors in float16, config.json and learning_curve.json in one folder."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from safetensors.torch import save_file
from transformers import PreTrainedModel

from models.training.lesson import Lesson
from models.training.loop import Progress, Recipe

CURVE = "learning_curve.json"


def write(lesson: Lesson[Any], recipe: Recipe, progress: Progress, folder: Path, go_on: bool = False) -> None:
    """The network as it is now; a run that went on from earlier weights adds to their learning curve."""
    folder.mkdir(parents=True, exist_ok=True)
    network = lesson.network
    ties = network.all_tied_weights_keys if isinstance(network, PreTrainedModel) else {}
    state = {
        name: value.half().contiguous()
        for name, value in network.state_dict().items()
        if value.is_floating_point() and name not in ties and lesson.keeps(name)
    }
    learned = sum(value.numel() for value in state.values())
    before = runs(folder) if go_on else []
    this = {
        "recipe": asdict(recipe),
        "steps": progress.step,
        "seconds": round(progress.seconds, 3),
        "tokens": progress.tokens,
        "loss": progress.curve,
    }
    save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "model.safetensors").chmod(0o644)  # safetensors lets only its writer read it; a server is another user
    (folder / "config.json").write_text(json.dumps(lesson.config, indent=1, sort_keys=True) + "\n")
    (folder / CURVE).write_text(json.dumps(learning_curve(learned, [*before, this])) + "\n")


def runs(folder: Path) -> list[dict[str, Any]]:
    """The runs whose result lies in this folder, the first one first."""
    found: list[dict[str, Any]] = json.loads((folder / CURVE).read_text(encoding="utf-8"))["runs"]
    return found


def learning_curve(learned: int, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """The sums over all runs and the loss along all their steps, each run counted on from the one before."""
    seconds, tokens = (sum(part[name] for part in parts) for name in ("seconds", "tokens"))
    loss: list[tuple[int, float]] = []
    steps = 0
    for part in parts:
        loss += [(steps + step, value) for step, value in part["loss"]]
        steps += part["steps"]
    return {
        "parameters": learned,
        "steps": steps,
        "minutes": round(seconds / 60, 1),
        "tokens": tokens,
        "tokens_per_second": round(tokens / max(seconds, 1e-9)),
        "loss": loss,
        "runs": parts,
    }
