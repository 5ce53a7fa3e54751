"""Answers as plain values, in which only what legitimately differs between brokers is taken out.

`RULES` is the whole list: every field that it does not name is compared as it is, and so is the
order of every array that `UNORDERED` does not name.
"""

import datetime as dt
import re
import uuid
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from typing import Any

from sim.kafka.batch import Batch
from sim.kafka.entities import ErrorCode
from sim.kafka.protocol import milliseconds, moment_ms

Plain = Any  # what JSON can hold

# Times above are those of the run; tests write small ones.
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
_LONG_AGO_MS = 1_000_000_000_000


class Names:
    """Gives what a broker has made up the numbers of its first appearance."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, object], str] = {}

    def name(self, kind: str, value: object) -> str:
        """Return a name that is the same for the same value."""
        return self._known.setdefault((kind, value), f"<{kind} {len(self._known) + 1}>")


Rule = Callable[[Names, Any], Plain]


def _told(names: Names, value: Any) -> Plain:
    return "<told>" if value else value


def _any(names: Names, value: Any) -> Plain:
    return "<any>"


def _member(names: Names, value: Any) -> Plain:
    found = _UUID.search(str(value))
    return f"{value[: found.start()]}{names.name('member', found.group())}" if found else value


def _producer(names: Names, value: Any) -> Plain:
    return names.name("producer", value) if value >= 0 else value


def _topic(names: Names, value: Any) -> Plain:
    return names.name("topic", value) if value else None


def _time(names: Names, value: Any) -> Plain:
    ms = value if isinstance(value, int) else moment_ms(value)
    return "<now>" if ms > _LONG_AGO_MS else ms


RULES: dict[str, Rule] = {
    "throttle_time": _any,  # quotas are not part of this comparison
    "host": _any,  # where a test runs
    "port": _any,
    "client_host": _any,
    "cluster_id": _any,  # drawn when a cluster is made
    "topic_id": _topic,  # drawn when a topic is made
    "member_id": _member,  # the client's id, and an id that is drawn
    "leader": _member,
    "producer_id": _producer,  # blocks of them are handed out
    "error_message": _told,  # the words for people are our own; that there are any is compared
    "batch_index_error_message": _told,
    "log_append_time": _time,
    "timestamp": _time,
    "max_timestamp": _time,
}

# Brokers keep these in hash maps, or shuffle them.
UNORDERED = {"groups", "topics", "configs", "members", "responses"}


def plain(value: Any, names: Names, field: str = "") -> Plain:
    """Return an entity, or a value in the field called `field`, as JSON can hold it."""
    if field in RULES:
        return RULES[field](names, value)
    if field == "records":
        return [_batch(batch, names) for batch in _batches(value)]
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name), names, f.name) for f in fields(value)}
    if isinstance(value, tuple):
        found = [plain(each, names, f"{field} item") for each in value]
        return sorted(found, key=repr) if field in UNORDERED else found
    return _scalar(value)


def _scalar(value: Any) -> Plain:
    if isinstance(value, ErrorCode):
        return value.name
    if isinstance(value, dt.timedelta):
        return milliseconds(value)
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, uuid.UUID):
        return str(value)
    return value


def _batches(value: Any) -> tuple[Batch, ...]:
    return value if isinstance(value, tuple) else Batch.decode_all(value or b"")


def _batch(batch: Batch, names: Names) -> Plain:
    return {
        "base_offset": batch.base_offset,
        "leader_epoch": batch.leader_epoch,
        "attributes": batch.attributes,
        "producer_id": _producer(names, batch.producer_id),
        "producer_epoch": batch.producer_epoch,
        "base_sequence": batch.base_sequence,
        "max_timestamp": _time(names, batch.max_timestamp),
        "records": [
            [
                _scalar(key),
                _scalar(value),
                [[name, _scalar(header)] for name, header in headers],
                _time(names, batch.timestamp((key, value, headers, time))),
            ]
            for key, value, headers, time in batch.records
        ],
    }


def leaves(value: Plain) -> int:
    """Return how many fields a plain value has."""
    if isinstance(value, dict):
        return sum(map(leaves, value.values()))
    if isinstance(value, list):
        return sum(map(leaves, value))
    return 1


def differences(left: Plain, right: Plain, path: str = "") -> dict[str, tuple[Plain, Plain]]:
    """Return where two plain values differ: path -> both values there."""
    if isinstance(left, dict) and isinstance(right, dict) and left.keys() == right.keys():
        pairs = [(f"{path}.{key}", left[key], right[key]) for key in left]
    elif isinstance(left, list) and isinstance(right, list) and len(left) == len(right):
        pairs = [(f"{path}[{n}]", *pair) for n, pair in enumerate(zip(left, right, strict=True))]
    else:
        return {} if left == right else {path: (left, right)}
    found: dict[str, tuple[Plain, Plain]] = {}
    for where, one, other in pairs:
        found |= differences(one, other, where)
    return found
