"""What `wavetank reconcile` is told: a TOML file, overridden by options; secrets stay unsaid.

[kafka]    bootstrap, group, security_protocol, sasl_*, ssl_*
[cql]      contact_points, port, keyspace, datacenter, consistency, username, password, ssl_*
[log]      directories
[limits]   max_age_s, rate, topic_rate, log_rate, breaks, accounts
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec

from scenarios.errors import UsageError
from system import config
from system.config import NonEmpty, Positive, Section
from system.errors import ConfigError
from system.kafka import tls_files

PASSWORDS = {
    "WAVETANK_KAFKA_SASL_PASSWORD": ("kafka", "sasl_password"),
    "WAVETANK_CQL_PASSWORD": ("cql", "password"),
}

Consistency = Literal["LOCAL_QUORUM", "QUORUM", "EACH_QUORUM", "ALL", "ONE", "LOCAL_ONE"]


class Kafka(Section, frozen=True):
    """How to reach the brokers, and whose committed offsets are the cut."""

    bootstrap: NonEmpty
    group: NonEmpty = "settlement"
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = "PLAINTEXT"
    sasl_mechanism: str = "SCRAM-SHA-512"
    sasl_username: str = ""
    sasl_password: str = ""
    ssl_ca: str = ""
    ssl_certificate: str = ""
    ssl_key: str = ""
    timeout_ms: Positive = 10_000

    def client(self) -> dict[str, Any]:
        """Return the settings of any client of librdkafka."""
        chosen: dict[str, Any] = {
            "bootstrap.servers": self.bootstrap,
            "client.id": "wavetank-reconcile",
            "log_level": 0,
            "security.protocol": self.security_protocol,
        }
        if "SASL" in self.security_protocol:
            chosen["sasl.mechanism"] = self.sasl_mechanism
            chosen["sasl.username"] = self.sasl_username
            chosen["sasl.password"] = self.sasl_password
        if "SSL" in self.security_protocol:
            try:
                chosen |= tls_files(self.ssl_ca, self.ssl_certificate, self.ssl_key)
            except ConfigError as error:
                raise UsageError(error.message) from None
        return chosen


class Cql(Section, frozen=True):
    """How to reach the database; a role that may only SELECT is enough."""

    contact_points: Annotated[tuple[NonEmpty, ...], msgspec.Meta(min_length=1)]
    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 9042
    keyspace: Annotated[str, msgspec.Meta(pattern="^[a-z][a-z0-9_]*$")] = "wavetank"
    datacenter: NonEmpty = "datacenter1"
    consistency: Consistency = "LOCAL_QUORUM"
    username: str = ""
    password: str = ""
    ssl_ca: str = ""
    ssl_certificate: str = ""
    ssl_key: str = ""
    timeout_ms: Positive = 10_000
    page: Annotated[int, msgspec.Meta(ge=10, le=100_000)] = 2_000
    ranges: Positive = 64  # of tokens, each read by statements of its own

    def __post_init__(self) -> None:
        for point in self.contact_points:
            host, colon, port = point.rpartition(":")
            if colon and ":" not in host and port.isdigit():
                raise ValueError(f"{point}: a port is of all nodes: give it as port, --cql-port")


class Log(Section, frozen=True):
    """The data directories of UBSCore, one per shard; empty: they cannot be reached from here."""

    directories: tuple[str, ...] = ()


class Limits(Section, frozen=True):
    """What reading may take, and how old things on their way may be."""

    max_age_s: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    rate: Positive = 20_000  # rows of the database a second
    topic_rate: Positive = 200_000  # records of Kafka a second
    log_rate: Positive = 100  # megabytes of logs a second
    breaks: Positive = 1_000
    accounts: Positive = 1_000_000


class Settings(Section, frozen=True):
    """The whole file."""

    kafka: Kafka
    cql: Cql
    log: Log = Log()
    limits: Limits = Limits()


def load(
    path: str | None, options: Mapping[tuple[str, str], Any], environ: Mapping[str, str]
) -> Settings:
    """Return the settings of a file with options on top, or a `UsageError` that names the wrong."""
    raw = _read(path)
    for name, (section, key) in PASSWORDS.items():
        if environ.get(name):
            _set(raw, section, key, environ[name])
    for (section, key), value in options.items():
        if value not in (None, ()):
            _set(raw, section, key, value)
    _need(raw, "kafka", "bootstrap", "--bootstrap HOST:PORT,...")
    _need(raw, "cql", "contact_points", "--contact-points HOST,...")
    try:
        return config.convert(Settings, raw, path or "the options")
    except ConfigError as error:
        if "password" in error.message:
            raise UsageError(f"{path}: a password must be text in quotes") from None
        raise UsageError(error.message) from None


def _read(path: str | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return config.read(path)
    except ConfigError as error:
        raise UsageError(error.message) from None


def _set(raw: dict[str, Any], section: str, key: str, value: Any) -> None:
    table = raw.setdefault(section, {})
    if isinstance(table, dict):
        table[key] = value


def _need(raw: dict[str, Any], section: str, key: str, option: str) -> None:
    table = raw.get(section)
    if table is None or (isinstance(table, dict) and key not in table):
        raise UsageError(f"{section}.{key} is not given: add {option}, or set it in --config FILE")
