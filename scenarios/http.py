"""The little HTTP/1.1 that clients speak: one request out, one answer in, over a connection."""

import json
from dataclasses import dataclass
from typing import Any

import httptools


@dataclass(slots=True)
class Response:
    """A complete HTTP answer."""

    status: int
    body: bytes
    retry_after_s: int | None = None

    def json(self) -> Any:
        """Return the body as JSON, {} if it is none."""
        try:
            return json.loads(self.body)
        except ValueError:
            return {}


def request(method: str, path: str, *, host: str, key: str, body: bytes) -> bytes:
    """Return the bytes of a request."""
    head = (
        f"{method} {path} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {key}\r\n"
        f"content-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Incoming:
    """The answer to one request, as its bytes arrive."""

    def __init__(self) -> None:
        self.answer: Response | None = None
        self._parser: Any = httptools.HttpResponseParser(self)  # None: the answer is complete
        self._body = b""
        self._retry_after_s: int | None = None

    def feed(self, data: bytes) -> Response | None:
        """Take in bytes; return the answer once it is complete."""
        if self._parser is not None:
            self._parser.feed_data(data)
        return self.answer

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header (called by the parser)."""
        if name.lower() == b"retry-after" and value.isdigit():
            self._retry_after_s = int(value)

    def on_body(self, body: bytes) -> None:
        """Take a part of the body (called by the parser)."""
        self._body += body

    def on_message_complete(self) -> None:
        """Hand over the answer (called by the parser)."""
        status = self._parser.get_status_code()
        self.answer = Response(status, self._body, self._retry_after_s)
        self._parser = None  # they hold each other
