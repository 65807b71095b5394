"""The models' cards as pages: what each model is, read, cost, scored and cannot do; all figures from its folder."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from markupsafe import Markup

from app import render, tables, views
from app.messages import Lang, decimal, percent, translate, whole
from app.pages import link, page
from app.plotting import Axis, Curve, Plot, chart
from app.query import Query
from app.views import Figure, model_title
from models import record, registry
from models.registry import Model
from models.training.kinds import SOURCES, kind_name, kind_of

Json = dict[str, Any]

# A group of the overview is known by a field that its models' traces have; the first that fits counts.
GROUP_OF_FIELD = {
    "label_probabilities": "entities",
    "class_probabilities": "intents",
    "attention": "transformers",
    "hidden": "language",
}
GROUPS = ("language", "transformers", "vectors", "entities", "intents", "extra")
# What a result's numbers are called in its JSON and how they are told: so many decimals, or a share as a percentage.
# The first task that a model was scored on is its main one, and the task's first number its main score.
MEASURES: dict[str, dict[str, int | None]] = {
    "lm": {"bits_per_character": 3, "perplexity_per_piece": 1},
    "translation": {"bleu": 1, "bleu_greedy": 1},
    "similarity": {"spearman": 3, "coverage": None},
    "intent": {"accuracy": 3, "accuracy_written": 3},
    "entities": {"f1": 3, "precision": 3, "recall": 3},
    "agreement": {"accuracy": 3, "accuracy_all_pairs": 3, "accuracy_equal_pieces": 3},
    "masked": {"removed_in_top": 0},
    "next_word": {},
    "names": {"names": 0, "right": 0, "wrong": 0},
}
PARTS = {"classes": ("class_items", "class_names"), "cases": ("case_items",)}  # and how many items each part has
LEFT_OUT = {"accuracy_equal_pieces": "unequal_pieces", "spearman": "left_out"}  # what of the items a number leaves out
# What stands in the rows of a task's own sentences: a column each, by its key in the catalogues.
SENTENCE_COLUMNS = {
    "masked": {"sentence": "card.sentence", "removed": "card.removed", "top": "card.guesses"},
    "next_word": {"sentence": "card.sentence", "top": "card.guesses"},
    "names": {"sentence": "card.sentence", "names": "card.names", "top": "card.marked"},
}
BLANK = "＿＿"


def index_page(query: Query) -> str:
    """All models in one table, by group."""
    lang = query.lang
    grouped: dict[str, list[Json]] = {group: [] for group in GROUPS}
    for model in registry.catalogue().values():
        grouped[group_of(model)].append(entry(model, query))
    groups = [
        {
            "title": translate(lang, f"models.group.{name}"),
            "note": translate(lang, f"models.note.{name}"),
            "models": rows,
        }
        for name, rows in grouped.items()
        if rows
    ]
    return page("models.html", lang, "/models", query, page_title=translate(lang, "models.title"), groups=groups)


def entry(model: Model, query: Query) -> Json:
    """A model as a row of the table."""
    rows = score_rows(scored(model), query.lang)
    return {
        "name": model.name,
        "title": model_title(model.name, query.lang),
        "url": address(model.name, query),
        "parameters": whole(query.lang, model.parameters),
        "score": rows[0]["value"] if rows else "–",
        "measure": rows[0]["measure"] if rows else wrong(model, query.lang),
    }


def wrong(model: Model, lang: Lang) -> Markup:
    """What is known to be wrong with a model, in words and as its files or transformers put it; mostly nothing."""
    loaded = registry.status()[model.name] == "loaded"  # before the rest, which may become known in between
    told = registry.trouble(model.name).replace("`", "")
    said = translate(lang, "card.trouble") if loaded else translate(lang, "card.fault")
    return coded(f"{said} `{told}`" if told else "")


def scored(model: Model) -> record.Results:
    """What a model that was trained here has scored."""
    return {} if model.source else record.scores(model.folder, model.hash)


def what(model: Model, lang: Lang) -> str:
    """What a model is, or where one that was not trained here comes from."""
    if model.source:
        return translate(lang, "card.what.extra", source=model.source)
    return translate(lang, f"card.what.{kind_name(model.name)}") if kind_of(model.name) else ""


def group_of(model: Model) -> str:
    """Which part of the table a model belongs to."""
    if model.source:
        return "extra"
    return next((group for field, group in GROUP_OF_FIELD.items() if field in model.fields), "vectors")


def address(name: str, query: Query) -> str:
    """Where a model's card is; the sentence goes along to the views that it links to."""
    return query.address(f"/{query.lang}/models/{name}")


def model_page(model: Model, query: Query) -> str:
    """The card of one model; what its folder does not say is left out."""
    lang = query.lang
    kind, results = kind_of(model.name), scored(model)
    trained = None if model.source else record.training(model.folder)
    others = registry.catalogue()
    base = model.base.get("model")
    return page(
        "model.html",
        lang,
        f"/models/{model.name}",
        query,
        page_title=model_title(model.name, lang),
        overview=query.address(f"/{lang}/models"),
        name=model.name,
        what=coded(what(model, lang)),
        fault=wrong(model, lang),
        base=named(base, query) if base in others else None,
        heirs=[named(name, query) for name, other in others.items() if other.base.get("model") == model.name],
        sources=[
            {
                "title": translate(lang, f"card.source.{name}"),
                "by": translate(lang, f"card.source.{name}.by"),
                "licence": SOURCES[name].licence,
            }
            for name in (kind.sources if kind else ())
        ],
        size=size_rows(model, lang),
        training=training_rows(trained, lang) if trained else [],
        curve=curve(trained, lang) if trained and trained["loss"] else None,
        scores=score_rows(results, lang),
        parts=part_tables(results, lang),
        sentences=sentence_tables(results, lang),
        commands=[
            record.command(task, model.name, file) for task in MEASURES for file in sorted(results.get(task, {}))
        ],
        weak=weak_points(results, kind.weak if kind else (), lang),
        views=[
            {"title": translate(lang, f"{view.name}.title"), "question": translate(lang, f"{view.name}.question"),
             "url": link(view, query.changed(model=model.name))}
            for view in views.catalogue().values()
            if model.name in view.models
        ],
    )  # fmt: skip


def named(name: str, query: Query) -> Json:
    """A link to the card of another model."""
    return {"title": model_title(name, query.lang), "url": address(name, query)}


def coded(text: str) -> Markup:
    """A text with what stands between `backticks` set as code."""
    parts = re.split(r"`([^`]*)`", text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if number % 2 else part for number, part in enumerate(parts)
    )


def row(key: str, value: str, lang: Lang) -> tuple[str, str]:
    """A line of a table of facts: what the catalogue calls it, and the value."""
    return translate(lang, f"card.{key}"), value


def size_rows(model: Model, lang: Lang) -> list[tuple[str, str]]:
    """Parameters, those that lie in another model's file, file size, fingerprint."""
    if model.fault:
        return []
    rows = [row("parameters", whole(lang, model.parameters), lang)]
    if model.borrowed:
        title = translate(lang, "card.borrowed", model=model_title(model.base["model"], lang))
        rows.append((title, whole(lang, model.borrowed)))
    megabytes = decimal(lang, model.nbytes / 1e6, 1)
    bits = ", ".join(map(str, model.bits))
    size = translate(lang, "card.file.size", megabytes=megabytes, bits=bits)
    return [
        *rows,
        row("file", size, lang),
        row("fingerprint", model.hash, lang),
    ]


def training_rows(trained: Json, lang: Lang) -> list[tuple[str, str]]:
    """Updates, tokens, minutes, speed, and the recipe of each run."""
    runs = trained["runs"]
    skip_gram = "window" in runs[0]["recipe"]
    return [
        row("epochs" if skip_gram else "updates", whole(lang, trained["steps"]), lang),
        row("tokens", whole(lang, trained["tokens"]), lang),
        row("minutes", decimal(lang, trained["minutes"], 1), lang),
        row("speed", whole(lang, trained["tokens_per_second"]), lang),
        *(
            (translate(lang, "card.run", number=number) if len(runs) > 1 else translate(lang, "card.recipe"), recipe)
            for number, recipe in enumerate((recipe_text(run, lang) for run in runs), start=1)
        ),
    ]


def recipe_text(run: Json, lang: Lang) -> str:
    """How one run was set up; a snapshot has only a part of its recipe's updates behind it."""
    told = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in run["recipe"].items()}
    if lang == "de":
        told = {name: value.replace(".", ",") for name, value in told.items()}
    if "window" in told:
        return translate(lang, "card.recipe.skip_gram", **told)
    whole_numbers = {name: whole(lang, run["recipe"][name]) for name in ("steps", "batch_tokens")}
    return translate(lang, "card.recipe.steps", **told | whole_numbers, done=whole(lang, run["steps"]))


def curve(trained: Json, lang: Lang) -> Json:
    """The learning curve as the templates show a figure: plot, what it says in words, its numbers."""
    points: list[tuple[int, float]] = trained["loss"]
    (first, start), (last, end) = points[0], points[-1]
    least_at, least = min(points, key=lambda point: point[1])
    label = translate(
        lang, "card.curve.label", first=whole(lang, first), start=decimal(lang, start, 2), last=whole(lang, last),
        end=decimal(lang, end, 2), least=decimal(lang, least, 2), least_at=whole(lang, least_at),
    )  # fmt: skip
    columns = [translate(lang, f"card.curve.{axis}") for axis in ("updates", "loss")]
    rows = [(whole(lang, step), decimal(lang, loss, 4)) for step, loss in points]
    return {
        "label": label,
        "figure": render.figure_json(Figure(curve_plot(trained, columns, lang), (), views.Table((), tuple, 0)), "auto"),
        "table": {
            "caption": translate(lang, "card.curve"),
            "columns": columns,
            "worded": {0},
            "rows": tables.table_rows(rows),
            "note": "",
        },
    }


def curve_plot(trained: Json, titles: Sequence[str], lang: Lang) -> Plot:
    """The smoothed loss over the updates, a line for each run."""
    curves, before = [], 0
    for number, run in enumerate(trained["runs"], start=1):
        steps, losses = np.array(run["loss"], np.float32).reshape(-1, 2).T
        name = translate(lang, "card.run", number=number)
        hover = f"{titles[0]}: %{{x}}<br>{titles[1]}: %{{y:.3f}}"
        curves.append(Curve(name, losses, steps + before, series=number - 1, kind="line", hover=hover))
        before += run["steps"]
    return chart(curves, lang, Axis(titles[0]), Axis(titles[1]), height=360)


def score_rows(results: record.Results, lang: Lang) -> list[Json]:
    """What was measured, the main score first."""
    found = []
    for task, measures in MEASURES.items():
        for file, result in sorted(results.get(task, {}).items()):
            for name, digits in measures.items():
                if name in result:
                    found.append(
                        {
                            "task": translate(lang, f"score.{task}"),
                            "measure": translate(lang, f"score.{task}.{name}"),
                            "value": number(result[name], digits, lang),
                            "items": whole(lang, result["items"] - result.get(LEFT_OUT.get(name, ""), 0)),
                            "file": translate(lang, "score.own") if task in record.OWN_SENTENCES else file,
                        }
                    )
    return found


def number(value: float, digits: int | None, lang: Lang) -> str:
    """A measured number with so many decimals, or as a percentage."""
    return percent(lang, value) if digits is None else decimal(lang, value, digits)


def part_tables(results: record.Results, lang: Lang) -> list[Json]:
    """The results by class or case: name, value, how many items."""
    found = []
    for task in MEASURES:
        for result in results.get(task, {}).values():
            for part, counted in PARTS.items():
                counts: dict[str, int] = next((result[name] for name in counted if name in result), {})
                rows = [
                    (name, decimal(lang, value, 3), whole(lang, counts[name]) if name in counts else "–")
                    for name, value in result.get(part, {}).items()
                ]
                if rows:
                    found.append({"caption": translate(lang, f"score.{task}.{part}"), "rows": rows})
    return found


def sentence_tables(results: record.Results, lang: Lang) -> list[Json]:
    """Our own sentences: with the five likeliest pieces, or with the names in them and what is marked as names."""
    found = []
    for task, columns in SENTENCE_COLUMNS.items():
        for result in results.get(task, {}).values():
            rows = [[cell(one[name]) for name in columns] for one in result["sentences"]]
            titles = [translate(lang, key) for key in columns.values()]
            found.append({"caption": translate(lang, f"score.{task}"), "columns": titles, "rows": rows})
    return found


def cell(value: str | list[str]) -> str:
    """A cell of a table of sentences; of a list all, a dash where there is nothing in it."""
    return value.replace("[MASK]", BLANK) if isinstance(value, str) else ", ".join(value) or "–"


def weak_points(results: record.Results, keys: Sequence[str], lang: Lang) -> list[Markup]:
    """What the model is bad at: first what its scores show."""

    def told(value: Any) -> str:
        return decimal(lang, value, 3) if isinstance(value, float) else str(value)

    measured = [
        translate(lang, f"card.weak.{key}", **{name: told(value) for name, value in values.items()})
        for key, values in record.weaknesses(results)
    ]
    return [coded(text) for text in (*measured, *(translate(lang, f"card.weak.{key}") for key in keys))]
