"""The options of a view as controls: which there are, their choices, and the address that each choice leads to."""

from collections.abc import Sequence
from functools import cache
from os.path import commonprefix
from typing import Any

from markupsafe import Markup

from app.escaping import escaped
from app.messages import Lang, Message, decimal, known, shortest, translate
from app.options import choice_label, numbers, options, run_choices, sliders
from app.query import Choices, Query, Slider, Value
from app.views import View, model_title
from models.trace import Trace

Json = dict[str, Any]
SEGMENTS = 8  # more choices than this become a list to open


@cache
def controlled(kind: type[Query]) -> list[tuple[str, tuple[Any, ...], Choices | None]]:
    """The options that become controls: name, fixed choices (or none) and the run's choices (or None)."""
    schema, depending = kind.model_json_schema()["properties"], run_choices(kind)
    return [(name, tuple(schema[name].get("enum", ())), depending.get(name)) for name in options(kind)]


def offered(
    view: View, query: Query, traces: Sequence[Trace], path: str, along: dict[str, Value] | None = None
) -> list[Json]:
    """The view's options as controls, the model first; each choice carries the address of the page that it leads to.

    `query` is the settled one where there are traces; `path` is the page, `along` what else its addresses carry.
    """
    lang = query.lang
    made = []
    # Another model has other layers.
    anew = {name: view.query.model_fields[name].default for name in run_choices(view.query)}
    values: list[Any]
    for name, values in model_choices(view, query).items():
        labels = [model_title(value, lang) if value else none_label(view, name, lang) for value in values]
        addresses = model_addresses(query.changed(**anew), name, values, path, along or {})
        made.append(control(name, "select", values, labels, getattr(query, name) or "", addresses, lang))
    shared: list[tuple[str, tuple[Any, ...], Choices | None]] = []
    if query.vs is not None:
        shared.append(("align", ("word", "position"), None))
    for name, fixed, depending in controlled(view.query) + shared:
        kept_back = query.withheld().get(name, ())
        values = [value for value in (depending.of(traces[0]) if depending and traces else fixed)
                  if value not in kept_back]  # fmt: skip
        if len(values) > 1 and name not in query.idle():
            if depending and not depending.listed:
                made.append(number_control(name, query, path, values, along or {}, rows=True))
                continue
            label = depending.label if depending and traces else None
            labels = [worded(label(traces[0], value), lang) if label else choice_label(name, value, lang)
                      for value in values]  # fmt: skip
            others = anew if depending and depending.anew else {}
            addresses = query.changed(**others).addresses(path, name, values, **(along or {}))
            kind = "segmented" if len(values) <= SEGMENTS else "select"
            made.append(control(name, kind, values, labels, getattr(query, name), addresses, lang))
    for name, (least, most, step) in numbers(view.query).items():
        if name not in query.idle():
            made.append(number_control(name, query, path, (least, most), along or {}, step))
    moved = {name: entry for name, entry in sliders(view.query).items() if name not in query.idle()}
    return [*made, slider_group(moved, query, traces, path, along or {})] if moved else made


def model_choices(view: View, query: Query) -> dict[str, list[str]]:
    """The models that a page offers as the first and as the second; "" for none in particular."""
    if len(view.models) < 2:
        return {}
    first = view.models if view.chooses_model else ["", *view.models]
    alone = not view.chooses_model and not query.model  # all of them: no second one to compare with
    found = {"model": first} if alone else {"model": first, "vs_model": ["", *view.models]}
    return {name: models for name, models in found.items() if name not in query.idle()}


def none_label(view: View, name: str, lang: Lang) -> str:
    """What is shown where no model is named, in the view's own words where it compares with another all the same."""
    own, general = f"{view.name}.{name}.none", "option.model.all" if name == "model" else "option.vs_model.none"
    return translate(lang, own if known(lang, own) else general)


def model_addresses(query: Query, name: str, values: Sequence[str], path: str, along: dict[str, Value]) -> list[str]:
    """Where each of these models leads as `name`; where none is in particular, the second goes with the first."""
    if name == "vs_model":
        return query.addresses(path, name, [value or None for value in values], **along)
    none = [query.changed(model="", vs_model=None).address(path, **along)] if values[0] == "" else []
    return none + query.addresses(path, name, values[len(none) :], **along)


def number_control(
    name: str, query: Query, path: str, values: Sequence[Any], along: dict[str, Value], step: str = "1",
    rows: bool = False,
) -> Json:  # fmt: skip
    """A field for a number, filled by a click on one of `rows`: a form of its own, which carries all else along."""
    lang, others = query.lang, {key: value for key, value in (query.parameters() | along).items() if key != name}
    return {
        "name": name, "label": translate(lang, f"option.{name}"), "kind": "number", "options": [],
        "value": getattr(query, name), "least": values[0], "most": values[-1], "step": step, "action": path,
        "range": f"{shortest(lang, values[0])}–{shortest(lang, values[-1])}",
        "hidden": list(others.items()), "row_number": rows,
    }  # fmt: skip


def slider_group(
    moved: dict[str, tuple[float, float, Slider]], query: Query, traces: Sequence[Trace], path: str,
    along: dict[str, Value],
) -> Json:  # fmt: skip
    """All sliders as one form, which carries everything else along."""
    lang, kind = query.lang, type(query)
    made: list[Json] = []
    for name, (least, most, slider) in moved.items():
        usual = kind.model_fields[name].default if slider.usual is None else slider.usual(query, traces)
        value = getattr(query, name)
        digits = max(0, -int(f"{slider.step:e}".split("e")[1]))
        made.append({
            "name": name, "label": translate(lang, f"option.{name}"), "least": least, "most": most,
            "step": slider.step, "digits": digits, "usual": round(usual, digits),
            "value": round(usual if value is None else value, digits),
        })  # fmt: skip
        made[-1]["shown"] = decimal(lang, made[-1]["value"], digits)
    others = {key: value for key, value in (query.parameters() | along).items() if key not in moved}
    return {"name": "sliders", "label": "", "kind": "sliders", "options": [], "sliders": made,
            "action": path, "hidden": list(others.items())}  # fmt: skip


def control(
    name: str, kind: str, values: Sequence[Any], labels: Sequence[str], chosen: Any, urls: Sequence[str], lang: Lang
) -> Json:
    """One control as the templates take it."""
    return {
        "name": name,
        "label": translate(lang, f"option.{name}"),
        "kind": kind,
        "options": [
            {"value": value, "label": label, "selected": value == chosen, "url": url}
            for value, label, url in zip(values, labels, urls, strict=True)
        ],
    }


def worded(label: str | Message, lang: Lang) -> str:
    """What a view calls a choice: words of the text stand for themselves."""
    return label.text(lang) if isinstance(label, Message) else label


def option_rows(choices: Sequence[Json], start: str) -> Markup:
    """The choices of a list as HTML, each with what its address has beyond `start`."""
    texts = escaped(text for each in choices for text in (str(each["value"]), each["url"][len(start) :], each["label"]))
    cells = zip(texts[::3], texts[1::3], texts[2::3], choices, strict=True)
    return Markup("\n".join(
        f'<option value="{value}" data-rest="{rest}"{" selected" if each["selected"] else ""}>{label}</option>'
        for value, rest, label, each in cells
    ))  # fmt: skip


def common_start(addresses: Sequence[str]) -> str:
    """The parameters that addresses begin with alike, as it stands in them."""
    ends = min(addresses), max(addresses)  # what these two share, all between them do
    return "&".join(commonprefix([address.split("&") for address in ends]))
