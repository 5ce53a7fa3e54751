"""Kafka's protocol on a link: frames, names of requests, and addresses rewritten in answers.

A frame is a length of 4 bytes and that many more. A request begins with api key, version and
correlation id; answers come in the order of the requests and carry the correlation id alone.
Versions are offered to clients only as far as all addresses in them can be rewritten; those of
Produce from 10 and Fetch from 16 on name new leaders with their addresses (KIP-951).
"""

import io
import struct
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from kio.index import load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_reader, entity_writer

from scenarios.backends.base import Address
from scenarios.stages.real.proxies.framing import Message
from sim.kafka.protocol import APIS

_LENGTH = struct.Struct(">i")
_HEAD = struct.Struct(">hhi")

PRODUCE, FETCH, METADATA, FIND_COORDINATOR, API_VERSIONS, DESCRIBE_CLUSTER = 0, 1, 3, 10, 18, 60
_NAMES = {api.key: api.name for api in APIS.values()} | {DESCRIBE_CLUSTER: "DescribeCluster"}

# The newest versions whose addresses this proxy knows how to rewrite.
NEWEST = {PRODUCE: 13, FETCH: 18, METADATA: 13, FIND_COORDINATOR: 6, DESCRIBE_CLUSTER: 2}
_ENDPOINTS_SINCE = {PRODUCE: 10, FETCH: 16}


class KafkaDialect:
    """One connection; `ways` maps the brokers' addresses to those of this client's proxies."""

    def __init__(self, ways: Mapping[Address, Address]) -> None:
        self._ways = ways
        self._asked: deque[tuple[int, int]] = deque()  # (api key, version) of answers to come

    def requests(self, buffer: bytearray) -> list[Message]:
        """Take whole requests out of `buffer`."""
        return [self._request(frame) for frame in _frames(buffer)]

    def responses(self, buffer: bytearray) -> list[Message]:
        """Take whole answers out of `buffer`, addresses rewritten."""
        return [self._response(frame) for frame in _frames(buffer)]

    def _request(self, frame: bytes) -> Message:
        key, version, _ = _HEAD.unpack_from(frame, 4)
        if not (key == PRODUCE and _wants_no_answer(frame, version)):
            self._asked.append((key, version))
        return Message(_NAMES.get(key, f"Api{key}"), frame)

    def _response(self, frame: bytes) -> Message:
        if not self._asked:
            return Message("Response", frame)
        key, version = self._asked.popleft()
        rewrite = _REWRITES.get(key)
        if rewrite is not None and version >= _ENDPOINTS_SINCE.get(key, 0):
            frame = _rewritten(frame, key, version, lambda body: rewrite(body, self._ways))
        return Message(f"{_NAMES.get(key, f'Api{key}')}Response", frame)


def _frames(buffer: bytearray) -> list[bytes]:
    frames = []
    while len(buffer) >= 4:
        (size,) = _LENGTH.unpack_from(buffer)
        if len(buffer) < 4 + size:
            break
        frames.append(bytes(buffer[: 4 + size]))
        del buffer[: 4 + size]
    return frames


def _wants_no_answer(frame: bytes, version: int) -> bool:
    """Whether a Produce request has acks=0: a producer that does not want to know."""
    at = 4 + _HEAD.size
    (size,) = struct.unpack_from(">h", frame, at)  # client id
    at += 2 + max(size, 0)
    if version >= 9:
        at += 1  # the header's tagged fields, none
        transactional = frame[at]
        at += 1 + max(transactional - 1, 0)
    elif version >= 3:
        (size,) = struct.unpack_from(">h", frame, at)
        at += 2 + max(size, 0)
    (acks,) = struct.unpack_from(">h", frame, at)
    return bool(acks == 0)


def _rewritten(frame: bytes, key: int, version: int, change: Callable[[Any], Any]) -> bytes:
    """Return the frame with its body changed; untouched if it is of a version not offered."""
    if key == API_VERSIONS and frame[8:10] != b"\0\0":
        return frame  # an error is answered in version 0, and holds nothing to change
    schema: Any = load_response_schema(key, version)
    answer = frame[4:]
    _, at = entity_reader(schema.__header_schema__)(answer, 0)
    body, _ = entity_reader(schema)(answer, at)
    out = io.BytesIO()
    entity_writer(schema)(out, change(body))
    content = answer[:at] + out.getvalue()
    return _LENGTH.pack(len(content)) + content


def _metadata(body: Any, ways: Mapping[Address, Address]) -> Any:
    return replace(body, brokers=tuple(_moved(broker, ways) for broker in body.brokers))


def _leaders(body: Any, ways: Mapping[Address, Address]) -> Any:
    moved = tuple(_moved(endpoint, ways) for endpoint in body.node_endpoints)
    return replace(body, node_endpoints=moved) if moved else body


def _coordinators(body: Any, ways: Mapping[Address, Address]) -> Any:
    if hasattr(body, "coordinators"):
        moved = tuple(_moved(each, ways) for each in body.coordinators)
        return replace(body, coordinators=moved)
    return _moved(body, ways)


def _moved(entity: Any, ways: Mapping[Address, Address]) -> Any:
    """Return an entity with `host` and `port` that leads over the proxy."""
    if getattr(entity, "error_code", ErrorCode.none) is not ErrorCode.none:
        return entity  # it names nobody
    way = ways.get(Address(entity.host, int(entity.port)))
    if way is None:
        return entity
    return replace(entity, host=way.host, port=type(entity.port)(way.port))


def _offered(body: Any, _: Mapping[Address, Address]) -> Any:
    """Offer no version whose addresses could not be rewritten."""
    keys = tuple(
        replace(api, max_version=type(api.max_version)(min(api.max_version, NEWEST[api.api_key])))
        if api.api_key in NEWEST
        else api
        for api in body.api_keys
    )
    return replace(body, api_keys=keys)


_REWRITES: dict[int, Callable[[Any, Mapping[Address, Address]], Any]] = {
    PRODUCE: _leaders,
    FETCH: _leaders,
    METADATA: _metadata,
    FIND_COORDINATOR: _coordinators,
    DESCRIBE_CLUSTER: _metadata,
    API_VERSIONS: _offered,
}
