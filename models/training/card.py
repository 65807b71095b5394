"""Writes a model's card: python -m models.training.card MODEL; every figure on it comes from the files beside it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from models.tokenizer import WEIGHTS
from models.weights import configuration, fingerprint

AGREEMENT_LEARNED = 0.6  # half of the pairs come out right by guessing


@dataclass(frozen=True)
class Source:
    """A corpus that a model has learned from."""

    title: str
    by: str
    licence: str


SOURCES = {
    "klexikon": Source(
        "Klexikon, the children's encyclopaedia",
        "the authors of klexikon.zum.de; collected by D. Aumiller and M. Gertz (2022), github.com/dennlinger/klexikon",
        "CC BY-SA",
    ),
    "wikipedia": Source(
        "German Wikipedia, the articles that match Klexikon's",
        "the authors of de.wikipedia.org; collected by D. Aumiller and M. Gertz (2022), github.com/dennlinger/klexikon",
        "CC BY-SA",
    ),
    "tatoeba": Source(
        "Tatoeba, the German side of German–English sentence pairs",
        "the contributors of tatoeba.org; as paired by manythings.org/anki (2018-05-13)",
        "CC BY 2.0 FR",
    ),
}


@dataclass(frozen=True)
class Kind:
    """What the card says of a model beyond its figures."""

    what: str
    sources: tuple[str, ...]
    weak: tuple[str, ...]


GERMAN = ("klexikon", "wikipedia", "tatoeba")
ENCYCLOPAEDIC = (
    "It has read encyclopaedias and short everyday sentences only: slang, dialect, novels, news and chat are foreign.",
    "A cased vocabulary of 14,000 pieces: rare and compound words fall into several pieces, typing errors into many.",
    "Its texts are unevenly spread (“Tom” is in 23 % of the Tatoeba sentences), and so are its guesses; it repeats the "
    "prejudices of its sources.",
)
LEFT_TO_RIGHT = (
    "Trained on at most 256 tokens at a time, mostly single sentences: it does not follow a longer text.",
    "“hasst” and “lacht” are rare in its text (88 and 42 sentences, nearly all of them Tatoeba's), “biss” rarer still "
    "(14): pictures of sentences with these words show a model that hardly knows them.",
)
RECURRENT = (
    "two layers of 192 {cells}, one matrix as input and output word vectors. "
    "It guesses each next piece of a German text."
)
KINDS = {
    "rnn": Kind(
        "A plain recurrent network (Elman, tanh): " + RECURRENT.format(cells="units"),
        GERMAN,
        ("It forgets fast: a tanh unit has no gate that would keep anything over many words.", *LEFT_TO_RIGHT),
    ),
    "lstm": Kind("An LSTM: " + RECURRENT.format(cells="cells"), GERMAN, LEFT_TO_RIGHT),
    "gru": Kind("A GRU: " + RECURRENT.format(cells="units"), GERMAN, LEFT_TO_RIGHT),
    "encoder": Kind(
        "A small BERT (BertForMaskedLM): four layers of four heads, 192 wide, learned positions. It reads a whole "
        "sentence at once and fills in masked pieces.",
        GERMAN,
        (
            "Pre-trained on a few million tokens where BERT saw billions: it knows word classes and frequent "
            "combinations, hardly facts.",
            *LEFT_TO_RIGHT,
        ),
    ),
}

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def card(
    model: Annotated[str, typer.Argument(help=f"one of {', '.join(KINDS)}")],
    weights: Annotated[Path, typer.Option(help="where the models' folders are")] = WEIGHTS,
) -> None:
    """Writes README.md beside the weights of one model."""
    folder = weights / model
    if model not in KINDS or not (folder / "model.safetensors").exists():
        typer.echo(
            f"Error: There is no card for '{model}'; cards are for trained models among {', '.join(KINDS)}.", err=True
        )
        raise typer.Exit(2)
    (folder / "README.md").write_text(text(model, folder), encoding="utf-8")
    typer.echo(f"{folder / 'README.md'}")


def text(model: str, folder: Path) -> str:
    """The card as Markdown; scores of other weights than those in the folder are left out."""
    kind = KINDS[model]
    curve = json.loads((folder / "learning_curve.json").read_text(encoding="utf-8"))
    scores = current_scores(folder)
    blocks = [
        f"# {model}",
        kind.what,
        "## What it learned from",
        *[
            f"- {SOURCES[name].title}. By {SOURCES[name].by}. Licence: {SOURCES[name].licence}."
            for name in kind.sources
        ],
        "",
        "Who passes the weights on, names these sources. Formats and places of the files: `models/training/README.md`.",
        "## Size and training",
        *size_and_training(folder, curve),
        "## Scores",
        *score_lines(model, scores),
        "## What it is bad at",
        *[f"- {fact}" for fact in (*measured_weaknesses(scores), *kind.weak, *ENCYCLOPAEDIC)],
    ]
    for result in scores.get("masked", {}).values():
        blocks += ["## What it puts into a blank", *blanks(model, result)]
    return joined(blocks)


def joined(blocks: list[str]) -> str:
    """The lines with an empty one around headings and before lists and tables."""
    lines: list[str] = []
    for block in blocks:
        listed, after = block.startswith(("- ", "| ")), lines[-1][:2] if lines else ""
        if lines and lines[-1] and not (listed and after == block[:2]):
            lines.append("")
        lines.append(block)
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def current_scores(folder: Path) -> dict[str, dict[str, dict[str, Any]]]:
    """What scores.json holds about exactly these weights: task → file → result."""
    file = folder / "scores.json"
    if not file.exists():
        return {}
    own = fingerprint(folder)
    found = json.loads(file.read_text(encoding="utf-8"))
    kept = {task: {name: one for name, one in files.items() if one["weights"] == own} for task, files in found.items()}
    return {task: files for task, files in kept.items() if files}


def size_and_training(folder: Path, curve: dict[str, Any]) -> list[str]:
    """Parameters, file, recipe, time and speed."""
    config, recipe = configuration(folder), curve["recipe"]
    megabytes = (folder / "model.safetensors").stat().st_size / 1e6
    vocabulary = config.get("vocabulary") or config.get("vocab_size")
    step, loss = curve["loss"][-1] if curve["loss"] else (recipe["steps"], float("nan"))
    share = f"{step:,} of {recipe['steps']:,}" if step < recipe["steps"] else f"{step:,}"
    return [
        f"- {curve['parameters']:,} parameters, of them word vectors of {vocabulary:,} pieces; shared ones count once.",
        f"- `model.safetensors`: {megabytes:.1f} MB, float16 (float32 in memory), fingerprint `{fingerprint(folder)}`.",
        f"- {share} updates of at most {recipe['batch_tokens']:,} tokens, AdamW, highest learning rate "
        f"{recipe['learning_rate']:g}, seed {recipe['seed']}; smoothed training loss at the end {loss:.2f}.",
        f"- {curve['tokens'] / 1e6:.1f} million tokens in {curve['minutes']:g} minutes on two CPU cores, "
        f"{curve['tokens_per_second']:,} tokens a second. The curve is in `learning_curve.json`.",
    ]


def score_lines(model: str, scores: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """A table of the main figures, and the commands that print them all."""
    rows, commands = [], []
    for task, files in sorted(scores.items()):
        for name, result in sorted(files.items()):
            rows.append(f"| {task} | `{name}` | {result['items']:,} | {figures(result)} |")
            named = f" --file CORPORA/{name}" if task != "masked" else ""
            commands.append(f"python -m models.training.evaluate {task} --model {model}{named}")
    if not rows:
        return ["Not scored yet."]
    fence = "\n".join(["Printed by (`CORPORA`: the folder of the corpora)", "", "```sh", *commands, "```"])
    return ["| task | file | items | measured |", "| --- | --- | --- | --- |", *rows, fence]


def figures(result: dict[str, Any]) -> str:
    """The main figures of a result in words."""
    if result["task"] == "lm":
        return (
            f"**{result['bits_per_character']:.3f}** bits per character; perplexity "
            f"{result['perplexity_per_piece']:.1f} per piece, {result['unknown_share']:.2%} of the pieces [UNK]"
        )
    if result["task"] == "agreement":
        cases = ", ".join(f"{case} {share:.3f}" for case, share in result["cases"].items())
        return (
            f"**{result['accuracy']:.3f}** mean over cases ({cases}); {result['unequal_pieces']:,} pairs with unequal "
            f"numbers of pieces, without them {result['accuracy_equal_pieces']:.3f} of the pairs"
        )
    return f"the removed word among the first five in **{result['removed_in_top']}** of {result['items']} sentences"


def measured_weaknesses(scores: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """What the scores show it cannot do."""
    facts = []
    for result in scores.get("agreement", {}).values():
        if result["accuracy"] < AGREEMENT_LEARNED:
            facts.append(
                f"It has not learned agreement of subject and verb: {result['accuracy']:.3f}, where guessing gives 0.5."
            )
        else:
            case, share = min(result["cases"].items(), key=lambda item: item[1])
            facts.append(
                f"Agreement of subject and verb is learned in part only ({result['accuracy']:.3f}, guessing 0.5); "
                f"worst in `{case}` with {share:.3f}."
            )
    for result in scores.get("masked", {}).values():
        missed = result["items"] - result["removed_in_top"]
        facts.append(
            f"In {missed} of {result['items']} simple sentences the removed word is not among its first five guesses."
        )
    return facts


def blanks(model: str, result: dict[str, Any]) -> list[str]:
    """The table of masked sentences with the five likeliest pieces."""
    rows = [
        f"| {row['sentence'].replace('[MASK]', '＿＿')} | {row['removed']} | {cell(', '.join(row['top']))} |"
        for row in result["sentences"]
    ]
    return [
        f"The five likeliest pieces of `{model}`; `##` marks the inside of a word. Other words may fit as well.",
        "| sentence | removed | guesses |",
        "| --- | --- | --- |",
        *rows,
    ]


def cell(pieces: str) -> str:
    """Pieces as the code of a table cell."""
    return f"`{pieces.replace('|', '¦').replace('`', 'ˋ')}`"


if __name__ == "__main__":
    app()
