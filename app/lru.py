"""A cache bounded in bytes: what was used longest ago goes first."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class BytesCache(Generic[Value]):
    """Least recently used values up to `limit` bytes in all; a value larger than that is not kept."""

    def __init__(self, limit: int):
        self.limit = limit
        self.bytes = 0
        self._entries: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> Value | None:
        """The value, which counts as used now, or None."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry[0]

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """Keeps the value, and lets go of old ones for it."""
        if size > self.limit:
            return
        if (old := self._entries.pop(key, None)) is not None:
            self.bytes -= old[1]
        self._entries[key] = value, size
        self.bytes += size
        while self.bytes > self.limit:
            _, (_, freed) = self._entries.popitem(last=False)
            self.bytes -= freed
