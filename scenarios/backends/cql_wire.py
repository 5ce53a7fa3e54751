"""CQL's native protocol, one statement and its answer at a time: for probing a single node.

The driver would connect to every node that the first one names, in threads, and try again by
rules of its own; its codec alone says what this node answers now.
"""

import socket
import struct
from types import TracebackType
from typing import Any, Self

from cassandra import ConsistencyLevel
from cassandra.protocol import (
    AuthenticateMessage,
    ErrorMessage,
    ProtocolHandler,
    QueryMessage,
    StartupMessage,
)

from scenarios.backends.base import Address
from scenarios.backends.sockets import read_exactly

ONE, QUORUM, ALL = ConsistencyLevel.ONE, ConsistencyLevel.QUORUM, ConsistencyLevel.ALL
_VERSION = 4
_HEADER = struct.Struct(">BBhBi")  # version, flags, stream, opcode, length of the body


class CqlError(Exception):
    """The node refuses, or answers what cannot be an answer."""


class Wire:
    """One connection to a node."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self._socket = socket.create_connection((address.host, address.port), timeout_s)
        answer = self._ask(StartupMessage(cqlversion="3.4.5", options={}))
        if isinstance(answer, AuthenticateMessage):
            raise CqlError(f"{address} wants credentials ({answer.authenticator})")

    def execute(self, cql: str, consistency: int = ONE) -> Any:
        """Carry out a statement and return its rows, if it has any."""
        return self._ask(QueryMessage(cql, consistency)).parsed_rows

    def _ask(self, question: Any) -> Any:
        self._socket.sendall(ProtocolHandler.encode_message(question, 1, _VERSION, None, False))
        _, flags, stream, opcode, size = _HEADER.unpack(read_exactly(self._socket, _HEADER.size))
        body = read_exactly(self._socket, size)
        answer = ProtocolHandler.decode_message(
            _VERSION, {}, stream, flags, opcode, body, None, None
        )
        if isinstance(answer, ErrorMessage):
            raise CqlError(answer.summary_msg())
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._socket.close()


def answers(address: Address, cql: str, consistency: int = ONE, timeout_s: float = 5.0) -> bool:
    """Whether the node at `address` coordinates the statement `cql` now."""
    try:
        with Wire(address, timeout_s) as wire:
            wire.execute(cql, consistency)
    except (OSError, CqlError):
        return False
    return True
