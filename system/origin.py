"""Where a record comes from, as its headers say: its request's trace, and when that was accepted.

Both are for whoever watches. Nothing that a program decides rests on them, and a record without
them is treated like any other.
"""

from typing import Any

import msgspec
from confluent_kafka import Message

from system import tracing
from system.tracing import Headers

ACCEPTED_AT = "accepted-at"  # milliseconds since the epoch, in decimal ASCII


class Origin(msgspec.Struct, frozen=True, gc=False):
    """What a record's headers say of it."""

    traceparent: str = ""
    accepted_ms: int = 0  # when Kafka appended the command; 0: it does not say

    def headers(self) -> Headers | None:
        """Return the headers, None if there is nothing to say."""
        found: Headers = []
        if self.traceparent:
            found.append((tracing.HEADER, self.traceparent.encode()))
        if self.accepted_ms:
            found.append((ACCEPTED_AT, b"%d" % self.accepted_ms))
        return found or None


def accepted_ms(message: Message) -> int | None:
    """Return when the command behind a record was accepted; None if that is not said."""
    headers: Any = message.headers()
    for name, value in headers or ():
        if name == ACCEPTED_AT and isinstance(value, bytes) and value.isdigit():
            return int(value[:20])
    return None
