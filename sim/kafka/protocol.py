"""Requests and responses of Kafka's protocol as they travel inside a world.

A message is a header and one of the entities of `sim.kafka.entities`. Two kinds of field hold, in
a world, something lighter than on a wire: `records` is a tuple of `sim.kafka.batch.Batch`, in a
Produce request of exactly one; a TCP shell decodes and encodes it at its edge. Times stay kio's
`timedelta` and `datetime`; `duration` and `milliseconds`, `moment` and `moment_ms` convert them.

A request with `acks=0` has no response; otherwise the responses on one connection come in the
order of its requests.
"""

import dataclasses
import datetime as dt
import marshal
from collections.abc import Callable
from functools import lru_cache
from operator import attrgetter
from typing import Any, NamedTuple

from sim.kafka import entities
from sim.kafka.batch import Batch


class Api(NamedTuple):
    """One API: its number and version on the wire and its two entities."""

    name: str
    key: int
    version: int
    request: type
    response: type


def _apis() -> dict[str, Api]:
    found = {}
    for name, request in vars(entities).items():
        if name.endswith("Request") and isinstance(request, type):
            api = name.removesuffix("Request")
            response = getattr(entities, api + "Response")
            found[api] = Api(api, request.__api_key__, request.__version__, request, response)  # type: ignore[attr-defined]
    return found


APIS: dict[str, Api] = _apis()

_KINDS: dict[type, str] = {api.request: api.name for api in APIS.values()} | {
    api.response: api.name + "Response" for api in APIS.values()
}


class Request:
    """A client's question; `kind` is the name of its API, such as ``Produce``."""

    __slots__ = ("_fingerprint", "body", "client_id", "correlation_id")

    def __init__(self, correlation_id: int, client_id: str | None, body: Any) -> None:
        self.correlation_id = correlation_id
        self.client_id = client_id
        self.body = body
        self._fingerprint: bytes | None = None

    @property
    def kind(self) -> str:
        """The name of the API."""
        return _KINDS[type(self.body)]

    @property
    def size(self) -> int:
        """About as many bytes as the message has on a wire."""
        return 16 + len(self.fingerprint())

    def fingerprint(self) -> bytes:
        """Return bytes that change with every part of the message."""
        if self._fingerprint is None:
            content = (self.correlation_id, self.client_id, _flat(self.body))
            self._fingerprint = marshal.dumps(content, 2)
        return self._fingerprint

    def __repr__(self) -> str:
        return f"Request({self.correlation_id}, {self.client_id!r}, {self.body!r})"


class Response:
    """A broker's answer; `kind` is the name of its API with ``Response`` behind it."""

    __slots__ = ("_fingerprint", "body", "correlation_id")

    def __init__(self, correlation_id: int, body: Any) -> None:
        self.correlation_id = correlation_id
        self.body = body
        self._fingerprint: bytes | None = None

    @property
    def kind(self) -> str:
        """The name of the API with ``Response`` behind it."""
        return _KINDS[type(self.body)]

    @property
    def size(self) -> int:
        """About as many bytes as the message has on a wire."""
        return 8 + len(self.fingerprint())

    def fingerprint(self) -> bytes:
        """Return bytes that change with every part of the message."""
        if self._fingerprint is None:
            self._fingerprint = marshal.dumps((self.correlation_id, _flat(self.body)), 2)
        return self._fingerprint

    def __repr__(self) -> str:
        return f"Response({self.correlation_id}, {self.body!r})"


_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MILLISECOND = dt.timedelta(milliseconds=1)
ZERO = dt.timedelta(0)


@lru_cache(maxsize=1000)
def duration(ms: int) -> dt.timedelta:
    """Return `ms` milliseconds as the entities want them."""
    return dt.timedelta(milliseconds=ms)


def milliseconds(value: dt.timedelta) -> int:
    """Return a duration of an entity in milliseconds."""
    return (value.days * 86_400 + value.seconds) * 1000 + value.microseconds // 1000


def moment(ms: int) -> dt.datetime | None:
    """Return a time in ms since 1970 as the entities want it; -1 is None."""
    return None if ms < 0 else _EPOCH + dt.timedelta(milliseconds=ms)


def moment_ms(value: dt.datetime | None) -> int:
    """Return a time of an entity in ms since 1970; None is -1."""
    return -1 if value is None else (value - _EPOCH) // _MILLISECOND


# An entity becomes a tuple of plain values, which marshal turns into bytes. Every type that occurs
# is listed or a kio entity; anything else is an error, so that nothing escapes the digest.
_FLAT: dict[type, Callable[[Any], Any]] = {
    tuple: lambda value: [_flat(item) for item in value],
    list: lambda value: [_flat(item) for item in value],
    entities.ErrorCode: int,
    dt.timedelta: milliseconds,
    dt.datetime: moment_ms,
    Batch: Batch.fingerprint,
}
_PLAIN = frozenset([int, str, bytes, bool, type(None)])


def _flat(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    flatten = _FLAT.get(kind)
    if flatten is None:
        flatten = _FLAT[kind] = _flattener(kind)
    return flatten(value)


def _flattener(kind: type) -> Callable[[Any], Any]:
    if kind.__name__ == "UUID":
        return lambda value: value.bytes
    if not dataclasses.is_dataclass(kind):
        raise TypeError(f"{kind} cannot be part of a message")
    fields = [field.name for field in dataclasses.fields(kind)]
    if len(fields) < 2:
        only = attrgetter(*fields)
        return lambda entity: (_flat(only(entity)),)
    values = attrgetter(*fields)
    plain = _PLAIN

    def flatten(entity: Any) -> Any:
        return [v if type(v) in plain else _flat(v) for v in values(entity)]

    return flatten
