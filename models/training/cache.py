"""Files that a training keeps: they get their names when they are whole, so that a cut never leaves half of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def whole(file: Path) -> Iterator[Path]:
    """Where to write the file instead; what was there before stays until all of it is written.

    Trainings that run side by side may make the same file: each writes its own, and the last one stays.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="partial-", dir=file.parent) as folder:
        partial = Path(folder) / file.name
        yield partial
        partial.replace(file)
