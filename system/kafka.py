"""What all Kafka clients of the exchange have in common: settings, and who to say is away."""

import time
from typing import Any

from confluent_kafka import KafkaError, KafkaException

from system.config import Kafka
from system.errors import ConfigError, Unreachable
from system.log import Log
from system.topics import PARTITIONER

QUIET_S = 10.0


class Troubles:
    """An `error_cb`: logs what a client reports about its brokers, each kind now and then."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._said_at_s: dict[int, float] = {}

    def __call__(self, error: KafkaError) -> None:
        """Log an error unless the same kind was logged a moment ago."""
        now_s = time.monotonic()
        if now_s - self._said_at_s.get(error.code(), -QUIET_S) >= QUIET_S:
            self._said_at_s[error.code()] = now_s
            self.log.warning("kafka", code=error.name(), detail=error.str())


def client(kafka: Kafka, name: str) -> dict[str, Any]:
    """Return the settings of any client."""
    return {
        "bootstrap.servers": kafka.bootstrap,
        "client.id": name,
        **security(kafka),
        "log_level": 0,  # the library would write lines of its own to standard error
        # A broker whose host lost power says nothing, not even that it is back: requests must
        # not wait a minute for it.
        "socket.timeout.ms": 10_000,
    }


def security(kafka: Kafka) -> dict[str, Any]:
    """Return what a client needs for TLS and SASL: nothing for plain connections."""
    if kafka.security_protocol == "PLAINTEXT":
        return {}
    chosen: dict[str, Any] = {"security.protocol": kafka.security_protocol}
    if "SASL" in kafka.security_protocol:
        chosen["sasl.mechanism"] = kafka.sasl_mechanism
        chosen["sasl.username"] = kafka.sasl_username
        chosen["sasl.password"] = kafka.sasl_password
    if "SSL" in kafka.security_protocol:
        chosen |= tls_files(kafka.ssl_ca, kafka.ssl_certificate, kafka.ssl_key)
    return chosen


def tls_files(ca: str, certificate: str, key: str) -> dict[str, str]:
    """Return a client's settings for its PEM files; the library would not say which is missing."""
    files = {"ca": ca, "certificate": certificate, "key": key}
    for name, path in files.items():
        try:
            if path:
                open(path, "rb").close()
        except OSError as error:
            raise ConfigError(
                f"[kafka] ssl_{name}: {path}: {error.strerror}; name a readable PEM file"
            ) from None
    return {f"ssl.{name}.location": path for name, path in files.items() if path}


def producer(kafka: Kafka, name: str) -> dict[str, Any]:
    """Return the settings of a producer that neither loses, repeats nor reorders."""
    return {
        **client(kafka, name),
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": kafka.linger_ms,
        "delivery.timeout.ms": kafka.delivery_timeout_ms,
        "partitioner": PARTITIONER,
    }


def consumer(kafka: Kafka, name: str, group: str) -> dict[str, Any]:
    """Return the settings of a consumer that never skips: offsets are placed by the program.

    The end of a log is reported, so that records missing there are missed (`system.topics`).
    Checksums are looked at, which the library does not do by itself: a bit that flips on a broker's
    drive, or in its memory, would be taken for what was acknowledged.
    """
    return {
        **client(kafka, name),
        "group.id": group,
        "auto.offset.reset": "error",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
        "enable.partition.eof": True,
        "check.crcs": True,
    }


def metadata(anyone: Any, kafka: Kafka) -> Any:
    """Return the cluster's metadata as a producer, consumer or admin client sees it."""
    try:
        return anyone.list_topics(timeout=kafka.connect_timeout_ms / 1000)
    except KafkaException as error:
        raise Unreachable(
            f"Kafka at {kafka.bootstrap} does not answer within"
            f" {kafka.connect_timeout_ms} ms: {error.args[0].str()}"
        ) from None
