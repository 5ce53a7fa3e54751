"""A topic's configuration: which keys there are, their defaults, and what is refused.

**Faithful**: names, types, ranges and defaults of Kafka 4.4 (`TopicConfig.java`, `LogConfig.java`);
an unknown name or a bad value is INVALID_CONFIG.
**Simplified**: of the keys under `_INERT` nothing is modelled, so only their default is accepted
(no compaction, no broker-side recompression, no tiered storage, no flush policy); segments may be
smaller than the 1 MiB that Kafka wants since 4.0 (KIP-1030), so that small tests roll them
(admin.configurations_of_new_topics in tests/conformance/kafka).
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

_LONG_MAX = 2**63 - 1
_INT_MAX = 2**31 - 1


class ConfigError(ValueError):
    """A configuration that Kafka refuses, or that is not modelled here."""


def _integer(low: int, high: int) -> Callable[[str], int]:
    def parse(text: str) -> int:
        number = int(text)
        if not low <= number <= high:
            raise ValueError(f"Value must be between {low} and {high}")
        return number

    return parse


def _timestamp_type(text: str) -> bool:
    if text not in ("CreateTime", "LogAppendTime"):
        raise ValueError("String must be one of: CreateTime, LogAppendTime")
    return text == "LogAppendTime"


class _Key(NamedTuple):
    default: str
    parse: Callable[[str], int | bool]


_MODELLED = {
    "max.message.bytes": _Key("1048588", _integer(0, _INT_MAX)),
    "message.timestamp.after.max.ms": _Key("3600000", _integer(0, _LONG_MAX)),
    "message.timestamp.before.max.ms": _Key(str(_LONG_MAX), _integer(0, _LONG_MAX)),
    "message.timestamp.type": _Key("CreateTime", _timestamp_type),
    "min.insync.replicas": _Key("1", _integer(1, _INT_MAX)),
    "retention.bytes": _Key("-1", _integer(-1, _LONG_MAX)),
    "retention.ms": _Key("604800000", _integer(-1, _LONG_MAX)),
    "segment.bytes": _Key("1073741824", _integer(14, _INT_MAX)),
    "segment.ms": _Key("604800000", _integer(1, _LONG_MAX)),
}

_INERT = {
    "cleanup.policy": "delete",
    "compression.gzip.level": "-1",
    "compression.lz4.level": "9",
    "compression.type": "producer",
    "compression.zstd.level": "3",
    "delete.retention.ms": "86400000",
    "errors.deadletterqueue.group.enable": "false",
    "file.delete.delay.ms": "60000",
    "flush.messages": str(_LONG_MAX),
    "flush.ms": str(_LONG_MAX),
    "follower.replication.throttled.replicas": "",
    "index.interval.bytes": "4096",
    "leader.replication.throttled.replicas": "",
    "local.retention.bytes": "-2",
    "local.retention.ms": "-2",
    "max.compaction.lag.ms": str(_LONG_MAX),
    "max.decompressed.message.bytes": "2147483639",
    "min.cleanable.dirty.ratio": "0.5",
    "min.compaction.lag.ms": "0",
    "preallocate": "false",
    "remote.copy.lag.bytes": "-1",
    "remote.copy.lag.ms": "0",
    "remote.log.copy.disable": "false",
    "remote.log.delete.on.disable": "false",
    "remote.storage.enable": "false",
    "segment.index.bytes": "10485760",
    "segment.jitter.ms": "0",
    "unclean.leader.election.enable": "false",
}

DEFAULTS: dict[str, str] = dict(
    sorted((_INERT | {name: key.default for name, key in _MODELLED.items()}).items())
)


class TopicConfig:
    """A checked configuration, its numbers ready for use."""

    __slots__ = (
        "after_max_ms",
        "before_max_ms",
        "given",
        "log_append_time",
        "max_message_bytes",
        "min_insync",
        "retention_bytes",
        "retention_ms",
        "segment_bytes",
        "segment_ms",
    )

    def __init__(self, given: Mapping[str, str | None]) -> None:
        self.given = {name: _checked(name, value) for name, value in given.items()}
        self.max_message_bytes = self._number("max.message.bytes")
        self.after_max_ms = self._number("message.timestamp.after.max.ms")
        self.before_max_ms = self._number("message.timestamp.before.max.ms")
        self.log_append_time = bool(self._number("message.timestamp.type"))
        self.min_insync = self._number("min.insync.replicas")
        self.retention_bytes = self._number("retention.bytes")
        self.retention_ms = self._number("retention.ms")
        self.segment_bytes = self._number("segment.bytes")
        self.segment_ms = self._number("segment.ms")

    def _number(self, name: str) -> int:
        key = _MODELLED[name]
        return key.parse(self.given.get(name, key.default))

    def changed(self, changes: Mapping[str, str | None]) -> "TopicConfig":
        """Return the configuration with `changes`; None goes back to the default.

        Nobody minds when a key that there is not goes back to it.
        """
        merged: dict[str, str | None] = {**self.given, **changes}
        return TopicConfig({name: value for name, value in merged.items() if value is not None})


def _checked(name: str, value: str | None) -> str:
    if name not in DEFAULTS:
        raise ConfigError(f"Unknown topic config name: {name}")
    if value is None:
        raise ConfigError(f"Null value not supported for topic configs: {name}")
    if name in _INERT:
        if value != _INERT[name]:
            raise ConfigError(
                f"Invalid value {value} for configuration {name}: only the default,"
                f" {_INERT[name]}, is modelled"
            )
        return value
    try:
        _MODELLED[name].parse(value)
    except ValueError as error:
        raise ConfigError(f"Invalid value {value} for configuration {name}: {error}") from error
    return value
