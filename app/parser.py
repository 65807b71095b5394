"""The parser of requests: httptools, which is fast, with an end to headers, for by itself it collects them for ever."""

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST = 2**17  # bytes of a request's first line and headers; an address that is told to be too long fits in


class Parser(HttpToolsProtocol):
    """One connection; `unread` bytes have come since the last that belonged to whole headers or a body."""

    unread = 0

    def data_received(self, data: bytes) -> None:
        """Takes what has come, and ends the connection where headers do not end."""
        self.unread += len(data)
        super().data_received(data)
        if self.unread > LONGEST and not self.transport.is_closing():
            self.send_400_response("The headers are too long.")

    def on_headers_complete(self) -> None:
        """Whole headers."""
        self.unread = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Part of a body, whose length is not ours to limit: `Limits` does."""
        self.unread = 0
        super().on_body(body)
