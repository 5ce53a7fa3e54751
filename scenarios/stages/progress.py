"""How far everything has come, by what Kafka shows: decided, passed on, matched, applied.

Records are taken in one by one, in any order between partitions, so that asking again costs no
second look at them. What cannot be decoded has not come anywhere.
"""

from typing import Any

import msgspec

from reports.fills import moves
from system.records import (
    EVENTS,
    OPERATIONS,
    ORDERS,
    OUTPUTS,
    CancelAccepted,
    CancelEnded,
    LedgerRow,
    decode_event,
    decode_output,
)


class _Keyed(msgspec.Struct):
    user_id: int = 0
    request_id: str = ""
    type: str = ""


_decode_key = msgspec.json.Decoder(_Keyed).decode
_Request = tuple[int, str]


class Progress:
    """What the four topics have shown so far."""

    def __init__(self) -> None:
        self._undecided: set[_Request] = set()
        self._decided: set[_Request] = set()
        self._passed: set[tuple[_Request, str]] = set()  # what the engine has to answer
        self._due: set[tuple[_Request, str]] = set()  # accepted, and not passed on yet
        self._outputs: set[tuple[int, int]] = set()
        self._ended: set[_Request] = set()  # cancels
        self._unended: set[_Request] = set()
        self._applied: set[tuple[Any, ...]] = set()
        self._unapplied: set[tuple[Any, ...]] = set()
        self._undecodable = False
        self._by_topic = {
            OPERATIONS: self._operation,
            EVENTS: self._event,
            ORDERS: self._order,
            OUTPUTS: self._output,
        }

    @property
    def complete(self) -> bool:
        """Whether all is decided, each order passed on and matched, each output applied."""
        return not (
            self._undecodable
            or self._undecided
            or self._due
            or len(self._passed) > len(self._outputs)
            or self._unended
            or self._unapplied
        )

    def take(self, topic: str, value: bytes) -> None:
        """Take in a record."""
        try:
            self._by_topic[topic](value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            self._undecodable = True

    def _operation(self, value: bytes) -> None:
        request = _request_of(_decode_key(value))
        if request not in self._decided:
            self._undecided.add(request)

    def _order(self, value: bytes) -> None:
        one = _decode_key(value)
        passed = _request_of(one), one.type
        self._passed.add(passed)
        self._due.discard(passed)

    def _event(self, value: bytes) -> None:
        event = decode_event(value)
        request = (event.user_id, event.request_id)
        self._decided.add(request)
        self._undecided.discard(request)
        if isinstance(event, CancelEnded):
            self._ended.add(request)
            self._unended.discard(request)
        elif isinstance(event, LedgerRow):
            row = (event.user_id, event.asset_id, event.event_type, event.ref_id)
            self._applied.add(row)
            self._unapplied.discard(row)
            if event.event_type == "lock":
                self._due |= {(request, "order")} - self._passed
        elif isinstance(event, CancelAccepted):
            self._due |= {(request, "cancel")} - self._passed

    def _output(self, value: bytes) -> None:
        output = decode_output(value)
        number = (output.symbol_id, output.output_seq)
        if number in self._outputs:
            return
        self._outputs.add(number)
        if output.outcome != "placed":
            request = (output.user_id, output.request_id)
            self._unended |= {request} - self._ended
        due = {(m.user_id, m.asset_id, m.event_type, m.ref_id) for m in moves(output)}
        self._unapplied |= due - self._applied


def _request_of(one: _Keyed) -> _Request:
    return one.user_id, one.request_id
