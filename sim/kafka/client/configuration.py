"""The configuration of a client: checked by the real library, then by what is modelled here.

**Faithful**: names, types, ranges and texts are the library's own (`properties`); the rules among
several properties are those of ``rd_kafka_conf_finalize`` (rdkafka_conf.c), with its texts.
**Simplified**: a property that would change something a program can see and is not modelled is
refused with `Unmodelled` (`modelled`).
"""

from collections.abc import Callable, Mapping
from typing import Any, Literal

from sim.errors import Unmodelled
from sim.kafka.client.modelled import HARMLESS, MODELLED
from sim.kafka.client.properties import ALIASES, DEFAULTS, read
from sim.kafka.client.wheel import fail

Kind = Literal["producer", "consumer", "admin"]

_INVALID_ARG = -186
_MS = 1_000_000

_CALLBACKS = {"error_cb", "stats_cb", "throttle_cb", "oauth_cb"}


class Settings:
    """What a client was told; times in nanoseconds, sizes in bytes."""

    def __init__(self, kind: Kind, values: Mapping[str, str], modified: frozenset[str]) -> None:
        self.kind = kind
        self.values = values
        self._read_common()
        self._read_producer()
        self._read_consumer()
        self._finalize(modified)

    def _number(self, key: str) -> int:
        return int(self.values[key])

    def _ms(self, key: str) -> int:
        return round(float(self.values[key]) * _MS)

    def _true(self, key: str) -> bool:
        return self.values[key] == "true"

    def _read_common(self) -> None:
        values, ms = self.values, self._ms
        self.client_id = values["client.id"]
        self.bootstrap = _addresses(values.get("metadata.broker.list", ""))
        self.message_max = self._number("message.max.bytes")
        self.metadata_refresh = ms("topic.metadata.refresh.interval.ms")
        self.metadata_fast = ms("topic.metadata.refresh.fast.interval.ms")
        self.propagation = ms("topic.metadata.propagation.max.ms")
        self.socket_timeout = ms("socket.timeout.ms")
        self.connect_timeout = ms("socket.connection.setup.timeout.ms")
        self.reconnect_backoff = ms("reconnect.backoff.ms")
        self.reconnect_backoff_max = ms("reconnect.backoff.max.ms")
        self.retry_backoff = ms("retry.backoff.ms")
        self.retry_backoff_max = ms("retry.backoff.max.ms")
        self.max_in_flight = self._number("max.in.flight.requests.per.connection")
        self.auto_create = self._true("allow.auto.create.topics")

    def _read_producer(self) -> None:
        values, ms = self.values, self._ms
        self.acks = self._number("request.required.acks")
        self.idempotent = self._true("enable.idempotence")
        self.gapless = self._true("enable.gapless.guarantee")
        self.queue_max = self._number("queue.buffering.max.messages") or 2**31
        self.queue_max_bytes = self._number("queue.buffering.max.kbytes") * 1024
        self.linger = ms("queue.buffering.max.ms")
        self.retries = self._number("message.send.max.retries")
        self.backpressure = self._number("queue.buffering.backpressure.threshold")
        self.batch_max = self._number("batch.num.messages")
        self.batch_max_bytes = min(self._number("batch.size"), self.message_max)
        self.sticky_linger = ms("sticky.partitioning.linger.ms")
        self.request_timeout_ms = self._number("request.timeout.ms")
        self.message_timeout = ms("message.timeout.ms")
        self.partitioner = values["partitioner"]

    def _read_consumer(self) -> None:
        values, ms = self.values, self._ms
        self.group_id = values.get("group.id", "")
        self.instance_id = values.get("group.instance.id") or None
        self.assignors = _assignors(values["partition.assignment.strategy"])
        self.session_timeout = ms("session.timeout.ms")
        self.heartbeat = ms("heartbeat.interval.ms")
        self.max_poll_interval = ms("max.poll.interval.ms")
        self.auto_commit = self._true("enable.auto.commit")
        self.auto_commit_interval = ms("auto.commit.interval.ms")
        self.auto_store = self._true("enable.auto.offset.store")
        self.prefetch_min = self._number("queued.min.messages")
        self.prefetch_max_bytes = self._number("queued.max.messages.kbytes") * 1024
        self.fetch_wait_ms = self._number("fetch.wait.max.ms")
        self.fetch_queue_backoff = ms("fetch.queue.backoff.ms")
        self.fetch_partition_max = self._number("fetch.message.max.bytes")
        self.fetch_max = self._number("fetch.max.bytes")
        self.fetch_min = self._number("fetch.min.bytes")
        self.fetch_error_backoff = ms("fetch.error.backoff.ms")
        self.isolation = 1 if values["isolation.level"] == "read_committed" else 0
        self.partition_eof = self._true("enable.partition.eof")
        self.check_crcs = self._true("check.crcs")
        self.reset = _RESETS[values["auto.offset.reset"]]

    def _finalize(self, modified: frozenset[str]) -> None:
        what = "consumer" if self.kind == "consumer" else "producer"
        self.problem = f"Failed to create {what}: "
        if self.reconnect_backoff_max < self.reconnect_backoff:
            self._refuse("`reconnect.backoff.max.ms` must be >= `reconnect.backoff.ms`")
        if self.kind == "consumer":
            self._finalize_consumer(modified)
        else:
            self._finalize_producer(modified)

    def _finalize_consumer(self, modified: frozenset[str]) -> None:
        if self.max_poll_interval < self.session_timeout:
            self._refuse("`max.poll.interval.ms`must be >= `session.timeout.ms`")
        if self.fetch_max < self.message_max:
            if "fetch.max.bytes" in modified:
                self._refuse("`fetch.max.bytes` must be >= `message.max.bytes`")
            self.fetch_max = self.message_max
        if (
            "receive.message.max.bytes" in modified
            and int(self.values["receive.message.max.bytes"]) < self.fetch_max + 512
        ):
            self._refuse("`receive.message.max.bytes` must be >= `fetch.max.bytes` + 512")

    def _finalize_producer(self, modified: frozenset[str]) -> None:
        if self.gapless and not self.idempotent:
            self._refuse("`enable.gapless.guarantee` requires `enable.idempotence` to be enabled")
        if self.idempotent:
            if "max.in.flight.requests.per.connection" not in modified:
                self.max_in_flight = 5
            if self.max_in_flight > 5:
                self._refuse("`max.in.flight` must be set <= 5 when `enable.idempotence` is true")
            if self.retries < 1:
                self._refuse("`retries` must be set >= 1 when `enable.idempotence` is true")
            if self.acks != -1:
                self._refuse("`acks` must be set to `all` when `enable.idempotence` is true")
        if "allow.auto.create.topics" not in modified:
            self.auto_create = self.kind == "producer"
        if self.message_timeout and self.message_timeout <= self.linger:
            if "queue.buffering.max.ms" in modified:
                self._refuse("`message.timeout.ms` must be greater than `linger.ms`")
            self.linger = self.message_timeout - _MS // 10

    def _refuse(self, text: str) -> None:
        fail(_INVALID_ARG, self.problem + text)


class Callbacks:
    """The Python callables of a configuration."""

    def __init__(self) -> None:
        self.error: Callable[..., Any] | None = None
        self.throttle: Callable[..., Any] | None = None
        self.delivery: Callable[..., Any] | None = None
        self.commit: Callable[..., Any] | None = None
        self.only_error = False
        self.logger: Any = None


def configure(kind: Kind, config: Mapping[Any, Any]) -> tuple[Settings, Callbacks]:
    """Split a configuration as the C module does and check all of it."""
    callbacks = Callbacks()
    pairs: list[tuple[str, str | None]] = []
    for key, value in config.items():
        if not _callback(kind, str(key), value, callbacks):
            if key == "default.topic.config" and isinstance(value, Mapping):
                pairs += [(str(k), _text(v)) for k, v in value.items()]
            else:
                pairs.append((str(key), _text(value)))
    return _settings(kind, tuple(pairs)), callbacks


def _callback(kind: Kind, key: str, value: Any, callbacks: Callbacks) -> bool:
    if key in _CALLBACKS:
        if not callable(value):
            raise TypeError(f"expected {key} property as a callable function")
        if key in {"stats_cb", "oauth_cb"}:
            raise Unmodelled(f"{key} is not modelled: neither statistics nor SASL are simulated")
        setattr(callbacks, key.removesuffix("_cb"), value)
    elif key == "logger":
        callbacks.logger = value
    elif (key == "on_delivery" and kind == "producer") or (
        key == "on_commit" and kind == "consumer"
    ):
        if value is not None and not callable(value):
            fail(_INVALID_ARG, f"{key} requires a callable object")
        setattr(callbacks, "delivery" if kind == "producer" else "commit", value)
    elif key == "delivery.report.only.error" and kind == "producer":
        callbacks.only_error = bool(value)
    else:
        return False
    return True


_known: dict[tuple[Kind, tuple[tuple[str, str | None], ...]], Settings] = {}


def _settings(kind: Kind, pairs: tuple[tuple[str, str | None], ...]) -> Settings:
    """Return the settings for `pairs`; the same ones are read only once, they are pure facts."""
    found = _known.get((kind, pairs))
    if found is None:
        values = DEFAULTS | read(pairs)
        modified = frozenset(ALIASES.get(key, key) for key, _ in pairs)
        _refuse_unmodelled(kind, values, modified)
        found = Settings(kind, values, modified)
        if len(_known) > 1000:
            _known.clear()
        _known[kind, pairs] = found
    return found


def _refuse_unmodelled(kind: Kind, values: Mapping[str, str], modified: frozenset[str]) -> None:
    for key in sorted(values):
        value = values[key]
        if value == DEFAULTS.get(key) or key in MODELLED or key in HARMLESS:
            continue
        raise Unmodelled(
            f"{key}={value} is not modelled for a simulated {kind}; "
            f"only {DEFAULTS.get(key) or 'leaving it out'!r} is"
        )
    if kind == "consumer" and values.get("group.id", "") == "":
        raise Unmodelled("an empty group.id makes the real client abort the process")
    if kind == "consumer":
        _assignors(values["partition.assignment.strategy"], refuse=True)
    if "transactional.id" in modified:
        raise Unmodelled("transactional.id is not modelled: there are no transactions")


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _assignors(value: str, *, refuse: bool = False) -> tuple[str, ...]:
    names = list(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
    if refuse:
        problem = "Failed to create consumer: "
        for name in names:
            if name not in {"range", "roundrobin", "cooperative-sticky"}:
                fail(_INVALID_ARG, f"{problem}Unsupported partition.assignment.strategy: {name}")
        if "cooperative-sticky" in names:
            if len(names) > 1:
                fail(
                    _INVALID_ARG,
                    f"{problem}All partition.assignment.strategy ({value}) assignors must have the "
                    "same protocol type, online migration between assignors with different "
                    "protocol types is not supported",
                )
            raise Unmodelled(
                "partition.assignment.strategy=cooperative-sticky is not modelled; "
                "range and roundrobin are"
            )
    return tuple(names)


def _addresses(value: str) -> tuple[tuple[str, int], ...]:
    found = []
    for entry in value.split(","):
        name = entry.strip().rpartition("://")[2]
        host, colon, port = name.rpartition(":")
        if not colon:
            host, port = name, ""
        if host:
            found.append((host, int(port) if port.isdigit() else 9092))
    return tuple(found)


_RESETS = {
    "smallest": "earliest",
    "earliest": "earliest",
    "beginning": "earliest",
    "largest": "latest",
    "latest": "latest",
    "end": "latest",
    "error": "error",
}
