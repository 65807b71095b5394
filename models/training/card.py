"""Writes a model's card: python -m models.training.card MODEL; every figure on it comes from the files beside it."""

from pathlib import Path
from typing import Annotated, Any

import typer

from models import record
from models.tokenizer import WEIGHTS
from models.training.kinds import SOURCES, WEAK, kind_of
from models.weights import configuration, fingerprint

CORES = "a machine of two CPU cores"


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
def card(
    model: Annotated[str, typer.Argument(help="the model's name: its folder in models/weights")],
    weights: Annotated[Path, typer.Option(help="where the models' folders are")] = WEIGHTS,
) -> None:
    """Writes README.md beside the weights of one model."""
    folder = weights / model
    if kind_of(model) is None or not (folder / "model.safetensors").exists():
        known = [path.parent.name for path in sorted(weights.glob("*/model.safetensors")) if kind_of(path.parent.name)]
        lacking = "entry in models/training/kinds.py" if kind_of(model) is None else f"model.safetensors in {folder}"
        typer.echo(f"Error: '{model}' has no {lacking}; both have {', '.join(known)}.", err=True)
        raise typer.Exit(2)
    (folder / "README.md").write_text(text(model, folder), encoding="utf-8")
    typer.echo(f"{folder / 'README.md'}")


def text(model: str, folder: Path) -> str:
    """The card as Markdown; scores of other weights than those in the folder are left out."""
    kind = kind_of(model)
    if kind is None:
        raise KeyError(model)
    scores = record.scores(folder, fingerprint(folder))
    blocks = [
        f"# {model}",
        kind.what,
        "## What it learned from",
        *[
            f"- {SOURCES[name].title}. By {SOURCES[name].by}. Licence: {SOURCES[name].licence}."
            for name in kind.sources
        ],
        "",
        "Anyone who passes the weights on must name these sources. Formats and places of the files: "
        "`models/training/README.md`.",
        "## Size and training",
        *size_and_training(folder),
        "## Scores",
        *score_lines(model, scores),
        "## What it is bad at",
        *[f"- {fact}" for fact in (*measured_weaknesses(scores), *(WEAK[key] for key in kind.weak))],
    ]
    for result in scores.get("masked", {}).values():
        blocks += ["## What it puts into a blank", *blanks(model, result)]
    for result in scores.get("next_word", {}).values():
        blocks += ["## How it goes on", *continuations(model, result)]
    for result in scores.get("names", {}).values():
        blocks += ["## What it marks as names", *marks(model, result)]
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


def size_and_training(folder: Path) -> list[str]:
    """Parameters, file, recipe, time and speed; of weights without a learning curve only the file."""
    megabytes = (folder / "model.safetensors").stat().st_size / 1e6
    curve = record.training(folder)
    if curve is None:
        return [f"- `model.safetensors`: {megabytes:.1f} MB, fingerprint `{fingerprint(folder)}`."]
    config = configuration(folder)
    vocabulary = config.get("vocabulary") or config.get("vocab_size")
    listed = "words" if config.get("model_type") == "word_vectors" else "pieces"
    if target := config.get("decoder_vocab_size"):
        listed = f"German and {target:,} of English pieces"
    return [
        f"- {curve['parameters']:,} parameters, of them vectors of {vocabulary:,} {listed}; shared ones count once.",
        f"- `model.safetensors`: {megabytes:.1f} MB, float16 (float32 in memory), fingerprint `{fingerprint(folder)}`.",
        *[run_line(run) for run in curve["runs"]],
        f"- {curve['tokens'] / 1e6:.1f} million tokens in {curve['minutes']:g} minutes on {CORES}, "
        f"{curve['tokens_per_second']:,} tokens a second. The curve is in `learning_curve.json`.",
    ]


def run_line(run: dict[str, Any]) -> str:
    """How one run went; a snapshot has only a part of its recipe's steps behind it."""
    recipe = run["recipe"]
    if "window" in recipe:
        return (
            f"- {recipe['epochs']} epochs of skip-gram: {recipe['units']} units, {recipe['window']} words on each "
            f"side, {recipe['negative']} negative samples, words thinned at {recipe['sample']:g}, learning rate "
            f"{recipe['learning_rate']:g}, words that occur {recipe['rarest']} times or more, seed {recipe['seed']}."
        )
    part = f"{run['steps']:,} of {recipe['steps']:,}" if run["steps"] < recipe["steps"] else f"{run['steps']:,}"
    loss = f"; smoothed training loss at the end {run['loss'][-1][1]:.2f}" if run["loss"] else ""
    return (
        f"- {part} updates of at most {recipe['batch_tokens']:,} tokens, AdamW, highest learning rate "
        f"{recipe['learning_rate']:g}, seed {recipe['seed']}{loss}."
    )


def score_lines(model: str, scores: record.Results) -> list[str]:
    """A table of the main figures, and the commands that print them all."""
    rows, commands = [], []
    for task, files in sorted(scores.items()):
        for name, result in sorted(files.items()):
            rows.append(f"| {task} | `{name}` | {result['items']:,} | {figures(result)} |")
            commands.append(record.command(task, model, name))
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
            f"**{result['accuracy']:.3f}** mean over cases ({cases}); {result['accuracy_all_pairs']:.3f} of all pairs, "
            f"{result['accuracy_equal_pieces']:.3f} without the {result['unequal_pieces']:,} with unequal numbers of "
            "pieces"
        )
    if result["task"] == "similarity":
        return (
            f"Spearman's ρ **{result['spearman']:.3f}** over {result['coverage']:.1%} of the pairs; "
            f"{result['left_out']:,} left out, since a word is unknown"
        )
    if result["task"] == "translation":
        return (
            f"BLEU **{result['bleu']:.1f}** with {result['beams']} beams, {result['bleu_greedy']:.1f} with one "
            f"(sacrebleu, `{result['signature']}`)"
        )
    if result["task"] == "intent":
        worst = min(result["classes"].items(), key=lambda item: item[1])
        return (
            f"accuracy **{result['accuracy']:.3f}**, with a first capital letter and a full stop "
            f"{result['accuracy_written']:.3f}; lowest for `{worst[0]}` with {worst[1]:.3f}"
        )
    if result["task"] == "entities":
        classes = ", ".join(f"{name} {f1:.3f}" for name, f1 in result["classes"].items())
        return (
            f"F1 **{result['f1']:.3f}** of names with exact boundaries and class (precision {result['precision']:.3f}, "
            f"recall {result['recall']:.3f}; {classes})"
        )
    if result["task"] == "next_word":
        return "to be read: the table below"
    if result["task"] == "names":
        return (
            f"**{result['right']}** of {result['names']} names with exact boundaries and class, {result['wrong']} "
            "marked wrongly: the table below"
        )
    return f"the removed word among the first five in **{result['removed_in_top']}** of {result['items']} sentences"


def measured_weaknesses(scores: record.Results) -> list[str]:
    """What the scores show it cannot do."""

    def told(value: Any) -> Any:
        return f"{value:.3f}" if isinstance(value, float) else value

    return [
        WEAK[key].format(**{name: told(value) for name, value in values.items()})
        for key, values in record.weaknesses(scores)
    ]


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


def continuations(model: str, result: dict[str, Any]) -> list[str]:
    """The table of beginnings with the five likeliest next pieces."""
    return [
        f"The five likeliest next pieces of `{model}`; `##` goes on with the word. Often other words fit as well.",
        "| beginning | next |",
        "| --- | --- |",
        *[f"| {row['sentence']} | {cell(', '.join(row['top']))} |" for row in result["sentences"]],
    ]


def marks(model: str, result: dict[str, Any]) -> list[str]:
    """The table of sentences with the names in them and what is marked."""
    return [
        f"The names in sentences of our own (`models/training/names.py`), and what `{model}` marks.",
        "| sentence | names | marked |",
        "| --- | --- | --- |",
        *[
            f"| {row['sentence']} | {', '.join(row['names']) or '–'} | {', '.join(row['top']) or '–'} |"
            for row in result["sentences"]
        ],
    ]


def cell(pieces: str) -> str:
    """Pieces as the code of a table cell."""
    return f"`{pieces.replace('|', '¦').replace('`', 'ˋ')}`"


if __name__ == "__main__":
    app()
