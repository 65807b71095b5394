"""What whoever gave a command can mend is told in one sentence, with exit code 2 and no traceback."""

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from gzip import BadGzipFile

import typer


class Fault(ValueError):
    """Something is wrong with what a command was given; the message is a sentence for the person who gave it."""


@contextmanager
def told() -> Iterator[None]:
    """Around a command: ends it with one sentence where its files are missing, cut off or in another format."""
    try:
        yield
    except (Fault, OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        typer.echo(f"Error: {sentence(error)}", err=True)
        raise typer.Exit(2) from None


def sentence(error: Exception) -> str:
    """What went wrong, with the name of the file where the error knows it."""
    if isinstance(error, Fault):
        return str(error)
    if isinstance(error, FileNotFoundError):
        return f"There is no file {error.filename}."
    if isinstance(error, OSError) and not isinstance(error, BadGzipFile):
        return f"{error.filename or 'A file'} cannot be read or written: {error.strerror or error}."
    return f"A file of the corpora is cut off, or not the gzipped UTF-8 that it should be ({error})."
