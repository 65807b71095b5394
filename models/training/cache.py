"""Files that a training keeps: they get their names when they are whole, so that a cut never leaves half of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Where to write the file instead; what was there before stays until all of it is written."""
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_name(f"partial-{file.name}")
    yield partial
    partial.replace(file)
