"""A figure's table: its rows as HTML in the reader's notation, or all numbers as CSV."""

import csv
import io
from collections.abc import Collection, Sequence
from itertools import chain, islice
from typing import Any, cast

from markupsafe import Markup

from app.escaping import escaped
from app.messages import Lang, decimal, decimals, power, translate, whole
from app.views import Cell, Ranked, Table, Term, View

DIGITS, LEAST = 4, 5e-5  # decimals of a number, and what they would make nothing
TABLE_ROWS = 500  # a page shows no more; the data routes have everything
# Columns that say what a row is about: before each number a screen reader says what those that differ have for it.
NAMING = frozenset(
    "model run change updates layer head layer_stage stage unit method other class side away tokens writing_step "
    "written position position_at position_second other_position steps word other_word earlier after looking "
    "looked_at guest".split()
)
OF_A_RUN = ("column.model", "column.run", "column.change")
# Columns of German words, which are read out as such on English pages too.
GERMAN = frozenset("word other_word earlier after looking looked_at piece guesses neighbours".split())

NUMBERS = {int, float}

Json = dict[str, Any]


def page_table(table: Table, lang: Lang, view: View) -> Json:
    """At most TABLE_ROWS rows in the reader's notation: all numbers where they fit, else a line per word.

    Which model all rows are of, and what was done to it, stands once in the caption; that there is but one sentence is
    not said.
    """
    brief = table.count > TABLE_ROWS
    columns, made = (table.brief_columns, table.brief()) if brief else (table.columns, table.rows())
    rows = list(islice(made, TABLE_ROWS))
    cells = list(zip(*rows, strict=True)) or [()] * len(columns)
    named = among(NAMING, columns) if len(rows) > 1 else []
    alike = [place for place in named if cells[place].count(cells[place][0]) == len(rows)]
    shared = [place for place in alike if columns[place] in OF_A_RUN]
    told = (
        f"{translate(lang, columns[place])}: {cell_text(cells[place][0], lang)}"
        for place in shared
        if cells[place][0] is not None and columns[place] != "column.run"
    )
    kept = [place for place in range(len(columns)) if place not in shared]
    shown = [columns[place] for place in kept]
    heads = [kept.index(place) for place in named if place not in alike] or [0]
    worded = [number for number, place in enumerate(kept) if not NUMBERS & set(map(type, cells[place]))]
    german = among(GERMAN, shown) if lang != "de" else ()
    lines = list(zip(*(column_texts(cells[place], lang) for place in kept), strict=True))
    return {
        "caption": " · ".join([translate(lang, f"{view.name}.title"), *told]),
        "columns": [translate(lang, column) for column in shown],
        "worded": {*heads, *worded},
        "rows": table_rows(lines, heads, german, worded),
        "note": translate(lang, "table.brief", count=whole(lang, table.count)) if brief else "",
    }


def among(names: Collection[str], columns: Sequence[str]) -> list[int]:
    """Where in a table the columns of these names are."""
    return [place for place, column in enumerate(columns) if column.removeprefix("column.") in names]


def table_rows(
    lines: Sequence[Sequence[str]],
    heads: Collection[int] = (0,),
    german: Collection[int] = (),
    worded: Collection[int] = (),
) -> Markup:
    """The rows as HTML; the cells in the columns `heads` are their headers, those in `german` are in that language,
    those in `worded` are words and begin where their column does."""
    if not lines:
        return Markup()
    width = len(lines[0])
    cells = ""
    for place in range(width):
        spoken = ' lang="de"' if place in german else ""
        begins = ' class="worded"' if place in worded else ""
        cells += f'<th scope="row"{spoken}>%s</th>' if place in heads else f"<td{begins}{spoken}>%s</td>"
    line = f"<tr>{cells}</tr>"
    text = escaped(chain.from_iterable(lines))
    return Markup("\n".join(line % tuple(text[at : at + width]) for at in range(0, len(text), width)))


def column_texts(cells: Sequence[Cell], lang: Lang) -> list[str]:
    """The cells of a column as a reader sees them."""
    kinds = set(map(type, cells))
    if kinds <= {str, int}:
        return list(map(str, cells))
    if kinds != {float}:
        return [cell_text(cell, lang) for cell in cells]
    numbers = cast(Sequence[float], cells)
    texts = decimals(lang, numbers, DIGITS)
    for place, number in enumerate(numbers):
        if 0 < abs(number) < LEAST:
            texts[place] = cell_text(number, lang)
    return texts


def cell_text(cell: Cell, lang: Lang) -> str:
    """One cell as a reader sees it; a number that four decimals would make nothing has its power of ten."""
    if isinstance(cell, float):
        if 0 < abs(cell) < LEAST:
            return f"{'−' if cell < 0 else ''}{power(lang, abs(cell))}"
        return decimal(lang, cell, DIGITS)
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
