"""How a figure gets into slides: for every kind of deck the text to paste, escaped the way that kind reads it."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from markupsafe import escape

FRAME_STYLE = "border: 0; color-scheme: light"  # that of a see-through embed: of another it is opaque


@dataclass(frozen=True)
class Picture:
    """A figure as snippets speak of it: its name and sentence as plain text, its absolute addresses, a file's stem.

    `banner` is a still that leaves room for a heading."""

    title: str
    caption: str
    file: str
    page: str
    embed: str
    svg: str
    banner: str
    pdf: str


def html(text: str) -> str:
    """Text for HTML, also between double quotes."""
    return str(escape(text))


def markdown(text: str) -> str:
    """Text for CommonMark and Pandoc, with nothing in it that marks up."""
    return re.sub(r"""([\\`*_{}\[\]<>#|~$&^@"'!])""", r"\\\1", text)


LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", '"': r"{\char34}", "<": r"{\textless}",
    ">": r"{\textgreater}", "|": r"{\textbar}",
    "„": "{,,}", "“": "{``}", "”": "{''}", "↔": r"\ensuremath{\leftrightarrow}", "→": r"\ensuremath{\rightarrow}",
    "«": r"\ensuremath{\ll}", "»": r"\ensuremath{\gg}",
    "−": r"\ensuremath{-}", "÷": r"\ensuremath{\div}", "·": r"\ensuremath{\cdot}", "≤": r"\ensuremath{\leq}",
}  # fmt: skip
# What pdflatex sets as it is: printable ASCII, Latin letters with the accents that its usual encoding has, punctuation.
ELSEWHERE = "ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ"  # in other encodings only
SET = re.compile("[ -~¡-ſ‐-―‘’†‡•…‰€™]")


def latex(text: str) -> str:
    """Text for LaTeX; " is a shorthand in German documents, and so is written as a character.

    What pdflatex knows in no encoding, or not in the usual one, is written as commands and ligatures; what it
    would stop at, an emoji or other scripts, by its code point, as in stills.
    """
    return "".join(
        LATEX.get(letter) or (letter if SET.match(letter) and letter not in ELSEWHERE else f"U+{ord(letter):04X}")
        for letter in text
    )


def latex_address(address: str) -> str:
    """An address for the first argument of \\href, also inside a frame of Beamer."""
    return address.replace("%", r"\%").replace("#", r"\#")


def frame(picture: Picture, source: str = "src", sized: str = 'width="1280" height="720"', more: str = "") -> str:
    """An <iframe>; `source` is the attribute that holds its address."""
    return (
        f'<iframe {source}="{html(picture.embed)}" title="{html(picture.title)}" {sized}{more} '
        f'style="{FRAME_STYLE}"></iframe>'
    )


def iframe(picture: Picture) -> str:
    """Any page: as wide as there is room, 16 to 9."""
    return (
        f'<iframe src="{html(picture.embed)}" title="{html(picture.title)}" loading="lazy" '
        f'style="width: 100%; aspect-ratio: 16 / 9; {FRAME_STYLE}"></iframe>'
    )


def reveal(picture: Picture) -> str:
    """reveal.js: loaded when the slide comes near."""
    inside = frame(picture, "data-src", 'class="r-stretch" width="1280"')
    return f"<section>\n  <h2>{html(picture.title)}</h2>\n  {inside}\n</section>"


def reveal_preload(picture: Picture) -> str:
    """reveal.js: loaded with the deck, so that nothing has to be waited for."""
    inside = frame(picture, "data-src", 'class="r-stretch" width="1280"', " data-preload")
    return f"<section>\n  <h2>{html(picture.title)}</h2>\n  {inside}\n</section>"


def reveal_background(picture: Picture) -> str:
    """reveal.js: over the whole slide."""
    return f'<section data-background-iframe="{html(picture.embed)}" data-background-interactive></section>'


def quarto(picture: Picture) -> str:
    """Quarto: HTML in a slide of its own."""
    inside = frame(picture, "data-src", 'class="r-stretch" width="1280"')
    return f"## {markdown(picture.title)}\n\n```{{=html}}\n{inside}\n```"


def jupyter(picture: Picture) -> str:
    """A notebook's cell."""
    address = json.dumps(picture.embed, ensure_ascii=False)
    return f'from IPython.display import IFrame\n\nIFrame({address}, width="100%", height=600)'


def linked(picture: Picture) -> str:
    """Markdown: the picture, and its sentence as the link to the page."""
    return f"![{markdown(picture.title)}]({picture.svg})\n\n[{markdown(picture.caption)}]({picture.page})"


def marp(picture: Picture) -> str:
    """Marp: a slide whose heading leads to the page, with a still of the size that is left. Marp takes words of a
    picture's text for commands, so that only has the title."""
    title = markdown(picture.title)
    return f"# [{title}]({picture.page})\n\n![{title}]({picture.banner})"


def slidev(picture: Picture) -> str:
    """Slidev: a slide that is a frame; JSON's strings are YAML's."""
    return f"---\nlayout: iframe\nurl: {json.dumps(picture.embed, ensure_ascii=False)}\n---"


def beamer(picture: Picture) -> str:
    """LaTeX with the PDF beside the document."""
    return "\n".join((
        f"\\begin{{frame}}{{{latex(picture.title)}}}",
        "  \\centering",
        f"  \\includegraphics[width=\\textwidth,height=0.75\\textheight,keepaspectratio]{{{picture.file}.pdf}}\\par",
        f"  \\footnotesize\\href{{{latex_address(picture.page)}}}{{{latex(picture.caption)}}}",
        "\\end{frame}",
    ))  # fmt: skip


def powerpoint(picture: Picture) -> str:
    """The address for the web viewer of PowerPoint."""
    return picture.embed


def moodle(picture: Picture) -> str:
    """Editors of learning platforms keep sizes in pixels only."""
    return frame(picture, sized='width="960" height="540"')


def notion(picture: Picture) -> str:
    """The page's address, which tells by itself how to embed it."""
    return picture.page


SNIPPETS: dict[str, Callable[[Picture], str]] = {
    "iframe": iframe, "reveal": reveal, "reveal_preload": reveal_preload, "reveal_background": reveal_background,
    "quarto": quarto, "jupyter": jupyter, "markdown": linked, "marp": marp, "slidev": slidev, "beamer": beamer,
    "powerpoint": powerpoint, "moodle": moodle, "notion": notion,
}  # fmt: skip
FILES = {"markdown": ("svg",), "beamer": ("pdf",), "powerpoint": ("svg", "png", "qr"), "moodle": ("html",)}
