"""Requests and responses of Kafka's protocol as they travel inside a world.

A message is a header and one of the entities of `sim.kafka.entities`. Two kinds of field hold, in
a world, something lighter than on a wire: `records` is a tuple of `sim.kafka.batch.Batch`, in a
Produce request of exactly one; a TCP shell decodes and encodes it at its edge, and puts a
`BatchError` in place of records that it cannot read. Times stay kio's
`timedelta` and `datetime`; `duration` and `milliseconds`, `moment` and `moment_ms` convert them.

A request with `acks=0` has no response; otherwise the responses on one connection come in the
order of its requests.
"""

import dataclasses
import datetime as dt
import marshal
import uuid
from collections.abc import Callable
from functools import cache, lru_cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, NamedTuple, get_args, get_origin

from kio.static.primitive import Records

from sim.kafka import entities


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


class Repeated:
    """A body that is sent again and again: flattened for the digest once."""

    __slots__ = ("body", "flat")

    def __init__(self, body: Any) -> None:
        self.body = body
        self.flat = marshal.dumps(_flat(body), 2)


class Request:
    """A client's question; `kind` is the name of its API, such as ``Produce``."""

    __slots__ = ("_fingerprint", "_flat", "body", "client_id", "correlation_id")

    def __init__(self, correlation_id: int, client_id: str | None, body: Any) -> None:
        self.correlation_id = correlation_id
        self.client_id = client_id
        again = type(body) is Repeated
        self.body: Any = body.body if again else body
        self._flat: bytes | None = body.flat if again else None
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
            header = marshal.dumps((self.correlation_id, self.client_id), 2)
            self._fingerprint = header + (self._flat or marshal.dumps(_flat(self.body), 2))
        return self._fingerprint

    def __repr__(self) -> str:
        return f"Request({self.correlation_id}, {self.client_id!r}, {self.body!r})"


class Response:
    """A broker's answer; `kind` is the name of its API with ``Response`` behind it."""

    __slots__ = ("_fingerprint", "_flat", "body", "correlation_id")

    def __init__(self, correlation_id: int, body: Any) -> None:
        self.correlation_id = correlation_id
        again = type(body) is Repeated
        self.body: Any = body.body if again else body
        self._flat: bytes | None = body.flat if again else None
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
            header = marshal.dumps(self.correlation_id, 2)
            self._fingerprint = header + (self._flat or marshal.dumps(_flat(self.body), 2))
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


# An entity becomes a nest of plain values, which marshal turns into bytes. What of an entity is not
# plain is known from its declaration; marshal refuses every value that it cannot tell apart from
# others, so nothing escapes the digest.
_Flatten = Callable[[Any], Any]


def _flat(entity: Any) -> Any:
    kind: Any = type(entity)
    return _flattener(kind)(entity)


@cache
def _flattener(kind: Any) -> _Flatten:
    fields = dataclasses.fields(kind)
    values = attrgetter(*[field.name for field in fields])
    found = [(at, _converter(field.type)) for at, field in enumerate(fields)]
    special = [(at, convert) for at, convert in found if convert is not None]
    if not special:
        return values
    if len(fields) == 1:
        only = special[0][1]
        return lambda entity: only(values(entity))

    def flatten(entity: Any) -> list[Any]:
        flat = list(values(entity))
        for at, convert in special:
            flat[at] = convert(flat[at])
        return flat

    return flatten


def _converter(declared: Any) -> _Flatten | None:
    """Return what makes a value of the declared type plain; None if it is."""
    if get_origin(declared) is UnionType:
        (inner,) = [each for each in get_args(declared) if each is not NoneType]
        return _or_none(_converter(inner))
    if get_origin(declared) is tuple:
        return _for_each(_converter(get_args(declared)[0]))
    if hasattr(declared, "__dataclass_fields__"):
        return _flattener(declared)
    for base, convert in _CONVERTERS.items():
        if issubclass(declared, base):
            return convert
    return None


def _or_none(convert: _Flatten | None) -> _Flatten | None:
    return convert and (lambda value: None if value is None else convert(value))


def _for_each(convert: _Flatten | None) -> _Flatten | None:
    return convert and (lambda values: list(map(convert, values)))


_CONVERTERS: dict[type, _Flatten] = {
    Records: lambda batches: [batch.fingerprint() for batch in batches],
    entities.ErrorCode: int,
    dt.timedelta: milliseconds,
    dt.datetime: moment_ms,
    uuid.UUID: lambda value: value.bytes,
}
