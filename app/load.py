"""A small HTTP/1.1 client on raw sockets, and a crowd of them: cheap enough not to be what a benchmark measures."""

import selectors
import socket
import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field

HOST = "127.0.0.1"
TIMEOUT = 120.0  # seconds; a server that answers nothing for so long has failed
END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"\r\ncontent-length:"
CHUNK = 2**18


class Connection:
    """One kept-alive connection that has at most one request under way."""

    def __init__(self, port: int):
        self.socket = socket.create_connection((HOST, port), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._received = bytearray()
        self._head = 0  # bytes up to the body; 0 until they are all there
        self._whole = 0

    def ask(self, address: str) -> None:
        """Sends a request that accepts gzip."""
        self._received.clear()
        self._head = self._whole = 0
        self.socket.sendall(f"GET {address} HTTP/1.1\r\nHost: {HOST}\r\nAccept-Encoding: gzip\r\n\r\n".encode("ascii"))

    def receive(self) -> bool:
        """Takes what has arrived, waiting for the first byte; whether the answer is whole."""
        arrived = self.socket.recv(CHUNK)
        if not arrived:
            raise ConnectionError("the server closed the connection")
        self._received += arrived
        if not self._head and (place := self._received.find(END_OF_HEAD)) >= 0:
            self._head = place + len(END_OF_HEAD)
            head = bytes(self._received[: self._head]).lower()
            start = head.index(LENGTH) + len(LENGTH)
            self._whole = self._head + int(head[start : head.index(b"\r", start)])
        return bool(self._head) and len(self._received) >= self._whole

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self._received[9:12])

    @property
    def wire(self) -> int:
        """Bytes of the answer, head included."""
        return self._whole

    @property
    def body(self) -> bytes:
        """The body as it was sent, still compressed."""
        return bytes(self._received[self._head :])

    def close(self) -> None:
        """Ends the connection."""
        self.socket.close()


class Client:
    """One reader who waits for each answer."""

    def __init__(self, port: int):
        self.connection = Connection(port)

    def get(self, address: str, expected: int = 200) -> float:
        """Seconds from the request to the last byte of its answer; RuntimeError for another status than expected."""
        started = time.perf_counter()
        self.connection.ask(address)
        while not self.connection.receive():
            pass
        seconds = time.perf_counter() - started
        if self.connection.status != expected:
            raise RuntimeError(f"{self.connection.status} instead of {expected}: {address}")
        return seconds

    def close(self) -> None:
        """Ends the connection."""
        self.connection.close()


@dataclass(frozen=True)
class Load:
    """What a crowd got: answers by status, in so many seconds, and the share of them that the crowd itself computed."""

    seconds: float
    busy: float
    statuses: Counter[int] = field(default_factory=Counter)

    @property
    def rate(self) -> float:
        """Successful answers per second."""
        return self.statuses[200] / self.seconds


def crowd(port: int, clients: int, addresses: Iterable[str]) -> Load:
    """All addresses over so many connections; each asks for the next one as soon as it has its answer."""
    waiting, statuses = deque(addresses), Counter[int]()
    connections = [Connection(port) for _ in range(min(clients, len(waiting)))]
    started, worked = time.perf_counter(), time.thread_time()
    with selectors.DefaultSelector() as selector:
        for connection in connections:
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ask(waiting.popleft())
        while selector.get_map():
            for key, _ in selector.select(TIMEOUT) or stalled():
                connection = key.data
                if connection.receive():
                    statuses[connection.status] += 1
                    if waiting:
                        connection.ask(waiting.popleft())
                    else:
                        selector.unregister(connection.socket)
    seconds, busy = time.perf_counter() - started, time.thread_time() - worked
    for connection in connections:
        connection.close()
    return Load(seconds, busy / seconds, statuses)


def stalled() -> list[tuple[selectors.SelectorKey, int]]:
    """The server has answered none of the crowd for a long time."""
    raise TimeoutError(f"no answer within {TIMEOUT:.0f} s")
