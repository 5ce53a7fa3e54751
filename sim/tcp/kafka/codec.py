"""Kafka's protocol on one connection: frames of bytes in, the machine's requests out, and back.

**Faithful** (`SocketServer.scala`, `RequestContext.java`, KIP-511): a frame longer than
socket.request.max.bytes, an API or version that is not offered, and what does not parse close the
connection; an ApiVersions of an unknown version is answered in version 0 with UNSUPPORTED_VERSION;
acks=0 is not answered; bytes behind a request are ignored (librdkafka's Metadata has some);
JoinGroup below version 4 knows no MEMBER_ID_REQUIRED (KIP-394): the member
joins with the id it was given; zstd needs Produce 7 and Fetch 10 (KIP-110).
**Simplified**: batches in a fetch are not cut at the byte where a limit is reached; requests behind
the one that is served are read ahead, up to a bound.
"""

import io
import struct
from collections import deque
from collections.abc import Iterator
from typing import Any, NamedTuple

from kio.serial import entity_reader, entity_writer

from sim.kafka.batch import Batch
from sim.kafka.entities import (
    ApiVersion,
    ApiVersionsRequest,
    ApiVersionsResponse,
    ErrorCode,
    FetchResponse,
    JoinGroupRequest,
    JoinGroupResponse,
    MetadataRequest,
    ProduceRequest,
)
from sim.kafka.errors import BatchError, UnknownCodec
from sim.kafka.protocol import ZERO, Request, Response
from sim.machine import Message
from sim.tcp.codec import Codec, Malformed
from sim.tcp.kafka.versions import API_VERSIONS_KEY, RANGES, Spoken, spoken

_READ_AHEAD = 100  # requests that wait for their turn before nothing more is read
_HEAD = struct.Struct(">hhi")
_ZSTD, _PRODUCE_ZSTD, _FETCH_ZSTD = 4, 7, 10
_KNOWN_MEMBERS = 4  # the version of JoinGroup from which on a member id is asked for first


class _Asked(NamedTuple):
    """A request that is not yet answered."""

    correlation_id: int
    spoken: Spoken
    request: Request
    unsupported: bool = False


class KafkaCodec(Codec):
    """The side of a broker."""

    def __init__(self, address: str, max_bytes: int) -> None:
        super().__init__(address)
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._asked: deque[_Asked] = deque()

    def busy(self) -> bool:
        """Whether enough requests wait; an old JoinGroup may have to be put a second time."""
        return len(self._asked) >= _READ_AHEAD or any(map(_joins_unknown, self._asked))

    def decode(self, data: bytes) -> Iterator[Message]:
        """Yield the requests that `data` completes."""
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= 4:
            size = int.from_bytes(buffer[at : at + 4], signed=True)
            if not _HEAD.size <= size <= self._max_bytes:
                raise Malformed(f"a request of {size} bytes; {self._max_bytes} are allowed")
            end = at + 4 + size
            if end > len(buffer):
                break
            frame = bytes(memoryview(buffer)[at + 4 : end])
            at = end
            yield self._request(frame)
        del buffer[:at]

    def encode(self, message: Message) -> bytes:
        """Return the frame of a response."""
        assert isinstance(message, Response)
        asked = self._asked.popleft()
        assert asked.correlation_id == message.correlation_id
        body: Any = message.body
        if isinstance(body, JoinGroupResponse) and _joins_unknown(asked):
            if body.error_code is ErrorCode.member_id_required:
                self._join_again(asked, body.member_id)
                return b""
        elif isinstance(body, FetchResponse):
            _put_bytes(body, asked.spoken.version)
        elif isinstance(body, ApiVersionsResponse):
            body = _offer(body, unsupported=asked.unsupported)
        return _framed(asked, asked.spoken.from_machine(body))

    def _request(self, frame: bytes) -> Request:
        key, version, correlation_id = _HEAD.unpack_from(frame)
        found = RANGES.get(key)
        if found is None:
            raise Malformed(f"there is no API with the key {key} here")
        name = found.api.name
        if not found.lowest <= version <= found.highest:
            if key == API_VERSIONS_KEY:
                return self._unsupported(correlation_id)
            raise Malformed(f"version {version} of {name} is not offered")
        speech = spoken(key, version)
        try:
            header, at = entity_reader(speech.request.__header_schema__)(frame, 0)
            body, _ = entity_reader(speech.request)(frame, at)
            body = speech.to_machine(body)
        except Exception as error:  # whatever the parser meets in bytes of somebody else
            raise Malformed(f"a malformed {name} request: {error}") from error
        return self._taken(speech, Request(correlation_id, header.client_id, body))

    def _taken(self, speech: Spoken, request: Request) -> Request:
        body = request.body
        if isinstance(body, ProduceRequest):
            _take_bytes(body, speech.version)
            if body.acks == 0:
                return request
        elif isinstance(body, MetadataRequest) and speech.version == 0 and body.topics == ():
            object.__setattr__(body, "topics", None)  # version 0 asks so for all topics
        self._asked.append(_Asked(request.correlation_id, speech, request))
        return request

    def _unsupported(self, correlation_id: int) -> Request:
        body = ApiVersionsRequest(client_software_name="", client_software_version="")
        request = Request(correlation_id, None, body)
        lowest = spoken(API_VERSIONS_KEY, 0)
        self._asked.append(_Asked(correlation_id, lowest, request, unsupported=True))
        return request

    def _join_again(self, asked: _Asked, member_id: str) -> None:
        body = asked.request.body
        object.__setattr__(body, "member_id", member_id)
        self.again = Request(asked.correlation_id, asked.request.client_id, body)
        self._asked.appendleft(asked)


def _joins_unknown(asked: _Asked) -> bool:
    return isinstance(asked.request.body, JoinGroupRequest) and asked.spoken.version < (
        _KNOWN_MEMBERS
    )


def _take_bytes(body: ProduceRequest, version: int) -> None:
    """Put batches in the place of their bytes."""
    for topic in body.topic_data:
        for part in topic.partition_data:
            records: tuple[Batch, ...] | BatchError
            try:
                records = Batch.decode_all(part.records or b"")
                if version < _PRODUCE_ZSTD and any(each.codec == _ZSTD for each in records):
                    raise UnknownCodec(f"zstd is not for Produce version {version}")
            except BatchError as error:
                records = error
            object.__setattr__(part, "records", records)


def _put_bytes(body: FetchResponse, version: int) -> None:
    """Put bytes in the place of batches."""
    for topic in body.responses:
        for part in topic.partitions:
            batches: tuple[Batch, ...] = part.records
            if version < _FETCH_ZSTD and any(batch.codec == _ZSTD for batch in batches):
                object.__setattr__(part, "error_code", ErrorCode.unsupported_compression_type)
                batches = ()
            data = b"".join([batch.encode() for batch in batches])
            object.__setattr__(part, "records", data)


def _offer(body: ApiVersionsResponse, *, unsupported: bool) -> ApiVersionsResponse:
    ranges = [RANGES[API_VERSIONS_KEY]] if unsupported else RANGES.values()
    return ApiVersionsResponse(
        error_code=ErrorCode.unsupported_version if unsupported else body.error_code,
        api_keys=tuple(
            ApiVersion(api_key=each.api.key, min_version=each.offered, max_version=each.highest)
            for each in ranges
        ),
        throttle_time=ZERO,
    )


def _framed(asked: _Asked, body: Any) -> bytes:
    out = io.BytesIO()
    out.write(bytes(4))
    if asked.spoken.api.key == API_VERSIONS_KEY:  # its header never has tagged fields (KIP-511)
        out.write(struct.pack(">i", asked.correlation_id))
    else:
        header = asked.spoken.response.__header_schema__
        entity_writer(header)(out, header(correlation_id=asked.correlation_id))
    entity_writer(asked.spoken.response)(out, body)
    size = out.tell() - 4
    view = out.getbuffer()
    view[:4] = size.to_bytes(4)
    return bytes(view)
