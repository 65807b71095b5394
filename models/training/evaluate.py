"""Scores a model: python -m models.training.evaluate TASK --model M --file F; scores are those of the float16 files."""

import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from models import weights as files
from models.record import OWN_SENTENCES
from models.tokenizer import WEIGHTS
from models.training import (
    agreement,
    classification,
    entities,
    likelihood,
    masked,
    names,
    next_word,
    similarity,
    translation,
)
from models.training.corpora import WrongFormat
from models.training.likelihood import WrongModel

SCORES = "scores.json"


@dataclass(frozen=True)
class Task:
    """A way to score a model: the function gets the model, the file and how many items to take at most."""

    score: Callable[[Any, Any, int | None], dict[str, Any]]
    needs_file: bool = True


TASKS = {
    "lm": Task(likelihood.bits_per_character),
    "agreement": Task(agreement.accuracy),
    "masked": Task(masked.top, needs_file=False),
    "next_word": Task(next_word.top, needs_file=False),
    "similarity": Task(similarity.correlation),
    "translation": Task(translation.bleu),
    "intent": Task(classification.accuracy),
    "entities": Task(entities.span_f1),
    "names": Task(names.marked, needs_file=False),
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def evaluate(
    task: Annotated[str, typer.Argument(help=f"one of {', '.join(TASKS)}")],
    model: Annotated[str, typer.Option(help="the model's name: its folder in models/weights")],
    file: Annotated[Path | None, typer.Option(help="what to score it on, plain or .gz")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object as the last line")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="only the first N items, for a quick look")] = None,
    save: Annotated[bool, typer.Option(help="keep the scores for the model's card")] = False,
    weights: Annotated[Path, typer.Option(help="where the models' folders are")] = WEIGHTS,
) -> None:
    """Scores one model on one file and prints what was measured."""
    torch.set_num_threads(1)  # three times as fast as two beside another process, and sums in one order
    try:
        if save and limit:
            raise WrongFormat("Scores of a part of a file are not saved: leave out --limit or --save.")
        if save and file and task in OWN_SENTENCES:
            raise WrongFormat("Of this task only our own sentences are saved: leave out --file or --save.")
        result = score(task, model, file, limit, weights)
    except (WrongFormat, WrongModel, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        typer.echo(f"Error: {sentence(error, file, model, task)}", err=True)
        raise typer.Exit(2) from None
    if save:
        keep(result, weights / model)
    for line in [json.dumps(result)] if as_json else readable(result):
        typer.echo(line)


def score(
    task: str, model: str, file: Path | None, limit: int | None = None, weights: Path = WEIGHTS
) -> dict[str, Any]:
    """What the task measures, with the names of task, model and file and the fingerprint of the weights."""
    if task not in TASKS:
        raise WrongFormat(f"There is no task '{task}'; there are {', '.join(TASKS)}.")
    folder = weights / model
    if not (folder / "model.safetensors").is_file() or not (folder / "config.json").is_file():
        known = sorted(path.parent.name for path in weights.glob("*/model.safetensors"))
        raise WrongModel(f"is not in {weights}; there are {', '.join(known) or 'no models'}")
    if TASKS[task].needs_file:
        if file is None:
            raise WrongFormat(f"The task '{task}' needs a file to score on: --file F.")
        file.open("rb").close()  # a wrong name is told before the model is read
    try:
        network = files.read(folder)
    except (ValueError, RuntimeError, KeyError) as error:
        raise WrongModel(f"cannot be read from {folder} ({' '.join(str(error).split())[:200]})") from None
    with torch.no_grad():
        found = TASKS[task].score(network, file, limit)
    part = {"limit": limit} if limit else {}
    asked = {"task": task, "model": model, "file": str(file) if file else None}
    return {**asked, "weights": files.fingerprint(folder), **part, **found}


def sentence(error: Exception, file: Path | None, model: str, task: str) -> str:
    """What went wrong, in one sentence for the person at the command line."""
    if isinstance(error, WrongModel):
        return f"The model '{model}' {error}."
    if isinstance(error, WrongFormat):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"There is no file {file}."
    if isinstance(error, UnicodeDecodeError):
        return f"{file} is not UTF-8 text (the name of a gzipped file must end in .gz)."
    if isinstance(error, (EOFError, zlib.error)) or "gzip" in str(error):
        return f"{file} is not a whole gzip file."
    return f"{file} cannot be read for the task '{task}': {error}."


def keep(result: dict[str, Any], folder: Path) -> None:
    """Adds the result to scores.json under its task and the last two parts of its file's name."""
    target = folder / SCORES
    scores = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {}
    name = "/".join(Path(result["file"]).parts[-2:]) if result["file"] else "own sentences"
    scores.setdefault(result["task"], {})[name] = {**result, "file": name}
    target.write_text(json.dumps(scores, indent=1, ensure_ascii=False, sort_keys=True) + "\n", encoding="utf-8")


def readable(result: dict[str, Any]) -> Iterator[str]:
    """The result as lines, what is inside of it indented."""
    for name, value in result.items():
        if isinstance(value, dict):
            yield f"{name}:"
            yield from (f"  {key:<24} {inner}" for key, inner in value.items())
        elif isinstance(value, list):
            yield f"{name}:"
            yield from map(row_text, value)
        else:
            yield f"{name:<26} {value}"


def row_text(row: dict[str, Any]) -> str:
    """A sentence and what the model says of it, with the names in it where they are known."""
    names = f"  (names: {', '.join(row['names']) or 'none'})" if "names" in row else ""
    return f"  {row['sentence']:<52} {', '.join(row['top'])}{names}"


if __name__ == "__main__":
    app()
