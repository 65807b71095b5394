"""Texts of a still are measured once: placing its panels asks for the sizes of the same words again and again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def measured_once() -> Iterator[None]:
    """Keeps the layout of every text, apart from its place, until the end; for one thread and one renderer at a time.

    What a layout depends on is its key, so that the picture is the same to the last byte.
    """
    from matplotlib.text import Text

    measure, known = Text._get_layout, {}  # type: ignore[attr-defined]

    def measured(text: Any, renderer: Any) -> Any:
        key = (
            text.get_text(), text.get_rotation(), text.get_rotation_mode(), text._horizontalalignment,
            text._verticalalignment, text._get_multialignment(), text._linespacing, text.get_parse_math(),
            text.get_usetex(), hash(text._fontproperties), text.get_figure(root=True).dpi, id(renderer),
        )  # fmt: skip
        if text.get_wrap() or key not in known:
            known[key] = measure(text, renderer)
        return known[key]

    Text._get_layout = measured  # type: ignore[attr-defined]
    try:
        yield
    finally:
        Text._get_layout = measure  # type: ignore[attr-defined]
