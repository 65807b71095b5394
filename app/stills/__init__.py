"""Stills: draws a figure's own Plotly JSON with matplotlib, so that picture and page cannot differ; no browser needed.

Heatmaps are true vectors in SVG and PDF, up to `picture.CELLS`. Only the kinds of trace that the views use are known;
any other raises.
"""

import io
import re
import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

from app.plotting.colours import GROUND
from app.plotting.plot import Json
from app.stills.frame import BORDER, draw_note, draw_shape, legend, value_axis, word_axis
from app.stills.layout import arrange, roomy
from app.stills.letters import ELSEWHERE, FONT, drawable, fonts
from app.stills.measure import measured_once
from app.stills.picture import DPI, Picture, Style, UnknownTrace, long_name
from app.stills.texts import captions, fit_points, wrap

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["MEDIA", "Form", "Style", "UnknownTrace", "draw", "still"]

Form = Literal["svg", "pdf", "png"]
SLIDE = 1280  # pixels: 13⅓ inches, the width of a slide of 16 to 9 in PowerPoint, Keynote and Impress
SOURCE_LINES = 4  # of the caption at most: more would leave a small picture no room; a file's title has it whole
LEAST_SCALE = 0.65  # of which the smallest letters have 8 pixels
SMALLER = 0.8  # times, at each try
MEDIA: dict[Form, str] = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}

_drawing = threading.Lock()  # matplotlib's settings are those of the process


def still(plot: Json, form: Form, style: Style, caption: str) -> bytes:
    """The file: SVG, PDF or PNG; `plot` is what draw.js draws, with its theme's colours. Raises UnknownTrace."""
    import matplotlib

    settings = {
        "font.family": [FONT], "svg.fonttype": "none", "svg.hashsalt": "satzblick", "pdf.fonttype": 42,
        "text.usetex": False, "text.parse_math": False, "axes.unicode_minus": True, "hatch.linewidth": 0.6,
    }  # fmt: skip
    metadata: dict[Form, dict[str, Any]] = {
        "svg": {"Date": None, "Title": caption}, "pdf": {"CreationDate": None, "Title": caption},
        "png": {"Title": caption},
    }  # fmt: skip
    with _drawing, matplotlib.rc_context(settings):
        with measured_once():
            figure = draw(plot, style, caption)
        file = io.BytesIO()
        ground = "none" if style.transparent else GROUND[style.theme]
        more: dict[str, Any] = {"pil_kwargs": {"dpi": (density(style),) * 2}} if form == "png" else {}
        figure.savefig(file, format=form, dpi=DPI, facecolor=ground, metadata=metadata[form], **more)
    return anywhere(file.getvalue()) if form == "svg" else file.getvalue()


def density(style: Style) -> float:
    """Pixels per inch that a PNG tells: with more of them than a slide has it is as wide as the slide, not wider."""
    return DPI * max(1.0, style.width / SLIDE)


def anywhere(svg: bytes) -> bytes:
    """An SVG whose texts have no serifs either where its font is missing, as in Windows and macOS."""
    named = f"'{FONT}'".encode()
    return re.sub(rb"<text[^>]*", lambda tag: tag[0].replace(named, named + ELSEWHERE), svg)


def draw(plot: Json, style: Style, caption: str) -> "Figure":
    """The still as a figure of matplotlib; letters are smaller than asked for where these left a panel no room."""
    least = min(style.scale, LEAST_SCALE)
    while not roomy(picture := drawn(plot, style, caption)) and style.scale > least:
        style = replace(style, scale=max(least, style.scale * SMALLER))
    return picture.figure


def drawn(plot: Json, style: Style, caption: str) -> Picture:
    """The picture with letters of one size."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(style.width / DPI, style.height / DPI), dpi=DPI)
    FigureCanvasAgg(figure)  # measures the texts
    picture = Picture(plot, style, figure)
    for trace in plot["data"]:
        picture.add(trace)
    finish(picture, caption)
    return picture


def finish(picture: Picture, caption: str) -> None:
    """Axes, marks, legend and caption; then all in its place, until nothing is cut off."""
    for y, axes in picture.axes.items():
        if "overlaying" not in picture.layout[long_name(y)]:  # else it shares the words of the axes below
            word_axis(picture, axes, picture.layout[long_name(picture.across[y])], y)
        value_axis(picture, axes, picture.layout[long_name(y)])
    for shape in picture.layout.get("shapes", ()):
        draw_shape(picture, shape)
    notes = [(draw_note(picture, note), note) for note in picture.layout.get("annotations", ())]
    if picture.layout.get("showlegend") and len(picture.named) > 1:
        legend(picture)
    written = picture.figure.text(
        BORDER / picture.style.width, BORDER / picture.style.height, drawable(caption), ha="left", va="bottom",
        fontsize=picture.style.points(12), color=picture.ink(True), parse_math=False, fontfamily=fonts(caption),
    )  # fmt: skip
    wrap(written, picture.style.width - 2 * BORDER, SOURCE_LINES)
    arrange(picture, written)
    fit_points(picture)
    captions(picture, [drawn for drawn, note in notes if note.get("name") == "caption"])
