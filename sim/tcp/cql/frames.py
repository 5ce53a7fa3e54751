"""Frames of the native protocol: one client's conversation between bytes and messages.

**Faithful**: versions 3 and 4, as Scylla speaks them; frames of another version are answered with
a protocol error in version 4, so that drivers step down; a frame that is longer than
`native_transport_max_frame_size` or no frame at all ends the connection after an error.
**Simplified**: no compression is offered; a traced statement is answered with a warning instead of
a trace; custom payloads are read over.
"""

import struct
from collections.abc import Iterator

from sim.scylla.errors import ProtocolFault
from sim.scylla.wire import LOWEST_VERSION, VERSION, Failure, Request, Response
from sim.tcp.codec import Codec, Malformed
from sim.tcp.cql import requests, responses
from sim.tcp.cql.pieces import Pieces
from sim.tcp.cql.primitives import Reader, string_list

FRAME_BYTES_MAX = 256 * 1024 * 1024
HEADER = struct.Struct(">BBhBI")

_COMPRESSED, _TRACING, _PAYLOAD, _WARNING = 0x01, 0x02, 0x04, 0x08
_ANSWER = 0x80
_UNTRACED = string_list(["tracing is not modelled: no trace was recorded"])
_FIRST = frozenset({"STARTUP", "OPTIONS"})


class Conversation(Codec):
    """One client's connection: what came, and how each answer is wanted."""

    def __init__(self, peer: str) -> None:
        super().__init__(peer)
        self._pieces = Pieces()
        self._version = VERSION
        self._started = False
        self._wanted: dict[int, tuple[int, bool, bool]] = {}  # stream: version, bare, traced

    def decode(self, data: bytes) -> Iterator[Request]:
        """Yield the requests that are whole now; raise `Malformed` at what is none."""
        content = self._pieces.joined(data)
        at, needed = 0, HEADER.size
        try:
            while len(content) - at >= HEADER.size:
                version, flags, stream, opcode, size = HEADER.unpack_from(content, at)
                self._check(version, stream, opcode, size)
                start, end = at + HEADER.size, at + HEADER.size + size
                if end > len(content):
                    needed = end - at
                    break
                at = end
                yield self._request(version, flags, stream, opcode, Reader(content, start, end))
        except Malformed as error:
            error.farewell = self.encode(Response(0, Failure(ProtocolFault(str(error)))))
            raise
        finally:
            self._pieces.keep(content[at:], needed)

    def encode(self, message: Response) -> bytes:  # type: ignore[override]
        """Return the frame of a response."""
        body, stream = message.body, message.stream
        version, bare, traced = self._wanted.pop(stream, (self._version, False, False))
        content = responses.encode(body, version, skip_metadata=bare)
        flags = 0
        if traced and version >= 4:
            flags, content = _WARNING, _UNTRACED + content
        opcode = responses.OPCODES[body.kind]
        return HEADER.pack(version | _ANSWER, flags, stream, opcode, len(content)) + content

    def _check(self, version: int, stream: int, opcode: int, size: int) -> None:
        if version & _ANSWER or version < LOWEST_VERSION:
            raise Malformed(
                f"Invalid or unsupported protocol version ({version}); the lowest supported "
                f"version is {LOWEST_VERSION} and the greatest is {VERSION}"
            )
        if size > FRAME_BYTES_MAX:
            raise Malformed(f"Request is too big: length {size} exceeds maximum {FRAME_BYTES_MAX}")
        if stream < 0:
            raise Malformed(f"Invalid stream id {stream} of a request")
        if version <= VERSION and opcode not in requests.OPCODES:
            raise Malformed(f"Unknown opcode {opcode:#04x}")

    def _request(self, version: int, flags: int, stream: int, opcode: int, body: Reader) -> Request:
        request = Request(requests.OPCODES.get(opcode, "OPTIONS"), stream, version=version)
        if version > VERSION:  # for the node to refuse; its body is in nobody's language
            self._wanted[stream] = VERSION, False, False
            return request
        if flags & _COMPRESSED:
            raise Malformed("a compressed frame, though no compression was agreed on")
        if flags & _PAYLOAD:
            body.skip_bytes_map()
        if request.kind not in _FIRST and not self._started:
            raise Malformed(f"Unexpected message {request.kind}, expecting STARTUP or OPTIONS")
        bare = requests.fill(request, body)
        self._started = self._started or request.kind == "STARTUP"
        self._version = version
        traced = bool(flags & _TRACING)
        if bare or traced or version != VERSION:
            self._wanted[stream] = version, bare, traced
        return request
