"""What is written down beside a model's weights: how it was trained, and what exactly these weights scored."""

import json
from pathlib import Path
from typing import Any

OWN_SENTENCES = ("masked", "next_word", "names")  # tasks that need no file
AGREEMENT_LEARNED = 0.6  # half of the pairs come out right by guessing

Results = dict[str, dict[str, dict[str, Any]]]  # task → file → result


def training(folder: Path) -> dict[str, Any] | None:
    """What learning_curve.json says: sums over all runs, the loss along their steps, each run's recipe."""
    file = folder / "learning_curve.json"
    found: dict[str, Any] | None = json.loads(file.read_text(encoding="utf-8")) if file.exists() else None
    return found


def scores(folder: Path, weights: str) -> Results:
    """What scores.json holds about exactly the weights of this fingerprint."""
    file = folder / "scores.json"
    if not file.exists():
        return {}
    found: Results = json.loads(file.read_text(encoding="utf-8"))
    kept = {
        task: {name: one for name, one in files.items() if one["weights"] == weights} for task, files in found.items()
    }
    return {task: files for task, files in kept.items() if files}


def command(task: str, model: str, file: str) -> str:
    """What prints a result again; CORPORA is the folder of the corpora."""
    named = "" if task in OWN_SENTENCES else f" --file CORPORA/{file}"
    return f"python -m models.training.evaluate {task} --model {model}{named}"


def weaknesses(results: Results) -> list[tuple[str, dict[str, Any]]]:
    """What the scores show that the model cannot do: keys of `kinds.WEAK`, and the numbers of that sentence."""
    found: list[tuple[str, dict[str, Any]]] = []
    for result in results.get("agreement", {}).values():
        accuracy = result["accuracy"]
        if accuracy < AGREEMENT_LEARNED:
            found.append(("agreement_none", {"accuracy": accuracy}))
        else:
            case, share = min(result["cases"].items(), key=lambda item: item[1])
            found.append(("agreement_part", {"accuracy": accuracy, "case": case, "share": share}))
    for result in results.get("masked", {}).values():
        missed = result["items"] - result["removed_in_top"]
        found.append(("blanks_missed", {"missed": missed, "items": result["items"]}))
    for result in results.get("entities", {}).values():
        shares = {"lower": result["lower"]["recall"], "upper": result["upper"]["recall"], "recall": result["recall"]}
        found.append(("names_written", {**shares, "precision": result["upper"]["precision"]}))
    for result in results.get("names", {}).values():
        found.append(("names_missed", {name: result[name] for name in ("items", "names", "right", "wrong")}))
    return found
