"""A figure's table: its rows as HTML in the reader's notation, or all numbers as CSV."""

import csv
import io
from collections.abc import Collection, Sequence
from itertools import chain, islice
from typing import Any

from markupsafe import Markup, escape

from app.messages import Lang, decimal, power, translate, whole
from app.views import Cell, Ranked, Table, Term, View

TABLE_ROWS = 500  # a page shows no more; the data routes have everything
# Columns that say what a row is about: before each number a screen reader says what those that differ have for it.
NAMING = frozenset(
    "model run change updates layer head layer_stage stage unit method other class side away tokens writing_step "
    "written position position_at position_second other_position steps word other_word earlier after looking "
    "looked_at guest".split()
)
# Columns of German words, which are read out as such on English pages too.
GERMAN = frozenset("word other_word earlier after looking looked_at piece guesses neighbours".split())
CELL = "\x1f"  # ASCII's own separator, which labels show as U+001F

Json = dict[str, Any]


def page_table(table: Table, lang: Lang, view: View) -> Json:
    """At most TABLE_ROWS rows in the reader's notation: all numbers where they fit, else a line per word."""
    brief = table.count > TABLE_ROWS
    columns, rows = (table.brief_columns, table.brief()) if brief else (table.columns, table.rows())
    lines = [[cell_text(cell, lang) for cell in row] for row in islice(rows, TABLE_ROWS)]
    return {
        "caption": translate(lang, f"{view.name}.title"),
        "columns": [translate(lang, column) for column in columns],
        "rows": table_rows(lines, naming(columns, lines), among(GERMAN, columns) if lang != "de" else ()),
        "note": translate(lang, "table.brief", count=whole(lang, table.count)) if brief else "",
    }


def naming(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> list[int]:
    """The columns whose cells tell a row from the others; where none does, the first."""
    return [place for place in among(NAMING, columns) if len({line[place] for line in lines}) > 1] or [0]


def among(names: Collection[str], columns: Sequence[str]) -> list[int]:
    """Where in a table the columns of these names are."""
    return [place for place, column in enumerate(columns) if column.removeprefix("column.") in names]


def table_rows(lines: Sequence[Sequence[str]], heads: Collection[int] = (0,), german: Collection[int] = ()) -> Markup:
    """The rows as HTML; the cells in the columns `heads` are their headers, those in `german` are in that language."""
    if not lines:
        return Markup()
    width = len(lines[0])
    cells = ""
    for place in range(width):
        spoken = ' lang="de"' if place in german else ""
        cells += f'<th scope="row"{spoken}>%s</th>' if place in heads else f"<td{spoken}>%s</td>"
    line = f"<tr>{cells}</tr>"
    text = str(escape(CELL.join(chain.from_iterable(lines)))).split(CELL)
    return Markup("\n".join(line % tuple(text[at : at + width]) for at in range(0, len(text), width)))


def cell_text(cell: Cell, lang: Lang) -> str:
    """One cell as a reader sees it; a number that four decimals would make nothing has its power of ten."""
    if isinstance(cell, float):
        if 0 < abs(cell) < 5e-5:
            return f"{'−' if cell < 0 else ''}{power(lang, abs(cell))}"
        return decimal(lang, cell, 4)
    if isinstance(cell, Term):
        return cell.message.text(lang)
    if isinstance(cell, Ranked):
        return cell.text(lang)
    return "–" if cell is None else str(cell)


def as_csv(table: Table) -> str:
    """All numbers with a header line, decimal points, full precision."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([column.removeprefix("column.") for column in table.columns])
    writer.writerows(table.rows())
    return file.getvalue()
