"""Two columns of words with lines between those that belong together; the blocks of several runs below each other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from app.messages import Lang
from app.plotting.charts import Axis, Curve, chart, curve_json
from app.plotting.colours import SERIES, THEMES
from app.plotting.plot import Json, Plot, escaped, themed

LINE = 28  # pixels between two words
LEFT, RIGHT = 0.0, 1.0  # where the two columns stand
EDGE = 0.8  # room for the words beside them
TITLE = 1.0  # lines over a block that has a title
FAINT, THIN, THICK = 0.18, 1.0, 9.0  # a line of next to no weight, and one of weight 1


@dataclass(frozen=True)
class Block:
    """The words of two columns, and the lines between them: the places of both ends, and a weight from 0 to 1 each.

    Without `weights` all lines are alike. `hovers` are what is said of each word, else the words themselves. `words`:
    where in the sentence of run `run` the words of the left column stand, in the same order as those of the right one.
    """

    left: Sequence[str]
    right: Sequence[str]
    pairs: Sequence[tuple[int, int]]
    weights: Sequence[float] = ()
    hovers: tuple[Sequence[str], Sequence[str]] | None = None
    title: str = ""
    run: int = 0
    words: Sequence[int] = ()


def joined(blocks: Sequence[Block], lang: Lang, names: tuple[str, str]) -> Plot:
    """The blocks below each other; `names` say what the left column is and what the right one."""
    counts = [max(len(block.left), len(block.right)) for block in blocks]
    above = [0.7 + TITLE * bool(block.title) for block in blocks]  # of the first word, in lines
    total = sum(counts) + sum(above) - 0.5 * len(blocks)
    plot = chart(columns(blocks[0], names), lang, Axis("", limits=(LEFT - EDGE, RIGHT + EDGE)), Axis(""),
                 height=80 + round(LINE * (total - 0.2)))  # fmt: skip
    layout: Json = plot.layout | {"xaxis": plot.layout["xaxis"] | {"visible": False}}
    data, tokens, top = [], [], 1.0
    for number, (block, count, room) in enumerate(zip(blocks, counts, above, strict=True), start=1):
        axis = f"y{number}" if number > 1 else "y"
        bottom = max(0.0, top - (count + room - 0.5) / total)
        layout[f"yaxis{axis[1:]}"] = plot.layout["yaxis"] | {
            "visible": False, "range": [0.5 - count, room], "domain": [bottom, top],
            "tickvals": [-place for place in range(len(block.left))], "ticktext": list(map(escaped, block.left)),
        }  # fmt: skip
        if block.title:
            layout["annotations"] = [*layout["annotations"], title(block.title, axis)]
        if block.words:
            tokens.append({"run": block.run, "axis": axis, "positions": list(block.words)})
        shown = [trace | {"showlegend": number == 1} for trace in map(curve_json, columns(block, names))]
        shown[1]["meta"] = {"lookedAt": True}
        data += [trace | {"yaxis": axis} for trace in [*links(block), *shown]]
        top = bottom
    return replace(plot, data=data, layout=layout, themes={theme: themed(layout, theme) for theme in THEMES},
                   panels={"columns": [], "kind": "chart"}, tokens=tokens)  # fmt: skip


def columns(block: Block, names: tuple[str, str]) -> list[Curve]:
    """The words, a point each."""
    found = []
    for number, (texts, place) in enumerate(((block.left, LEFT), (block.right, RIGHT))):
        down, across = -np.arange(len(texts), dtype=np.float32), np.full(len(texts), place, np.float32)
        hovers = block.hovers[number] if block.hovers else texts
        beside = [f"middle {('left', 'right')[number]}"] * len(texts)
        found.append(
            Curve(names[number], down, across, number, kind="points", texts=texts, hovers=hovers, places=beside)
        )
    return found


def links(block: Block) -> list[Json]:
    """The lines: one trace where all are alike, else one each, the strongest last, so that it lies on the others."""
    if not block.pairs:
        return []
    if not block.weights:
        down = np.array([[-one, -other, np.nan] for one, other in block.pairs], np.float32).ravel()
        across = np.tile(np.array([LEFT, RIGHT, np.nan], np.float32), len(block.pairs))
        return [curve_json(Curve("", down, across, 0, kind="line", listed=False))]
    return [
        {"type": "scatter", "mode": "lines", "x": [LEFT, RIGHT], "y": [-one, -other], "xaxis": "x", "showlegend": False,
         "hoverinfo": "skip", "opacity": round(FAINT + (1 - FAINT) * weight, 3),
         "line": {"color": SERIES[0], "width": round(THIN + (THICK - THIN) * weight, 2)},
         **({"meta": {"run": block.run, "ends": [block.words[one], block.words[other]]}} if block.words else {})}
        for weight, (one, other) in sorted(zip(block.weights, block.pairs, strict=True))
    ]  # fmt: skip


def title(text: str, axis: str) -> Json:
    """What stands above a block."""
    return {"xref": "x", "yref": axis, "x": (LEFT + RIGHT) / 2, "y": 0.7, "yanchor": "bottom", "text": escaped(text),
            "showarrow": False}  # fmt: skip
