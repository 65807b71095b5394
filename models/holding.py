"""What holds inside a block only, and only for the thread that runs it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TypeVar

Value = TypeVar("Value")


@contextmanager
def holding(variable: ContextVar[Value | None], value: Value) -> Iterator[Value]:
    """Inside the block the variable has this value, which the block is given; then what it had before."""
    token = variable.set(value)
    try:
        yield value
    finally:
        variable.reset(token)
