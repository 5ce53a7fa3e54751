"""Servers that others run: reached as the programs reach them, never harmed, never stopped."""

import socket
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import msgspec
from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from scenarios.backends.base import Ability, Address, Backend, Role, Server
from scenarios.errors import Infrastructure, UsageError
from scenarios.heard import Heard, list_topics
from system import config, database, kafka
from system.config import Kafka, Section
from system.database import FAILURES, Database, Scylla
from system.errors import ConfigError, Stop

_OPTIONS = {"kafka": "--bootstrap", "scylla": "--contact-points"}
_ADDRESSES = ("bootstrap", "contact_points", "port", "datacenter", "keyspace")


class Servers(Section, frozen=True):
    """How programs reach the servers: the two tables of their configuration files."""

    kafka: Kafka
    scylla: Scylla


class RemoteServer(Server):
    """A broker or node that others run."""

    @property
    def alive(self) -> bool:
        """Whether somebody listens at its address."""
        try:
            socket.create_connection((self.address.host, self.address.port), 2.0).close()
        except OSError:
            return False
        return True

    def start(self) -> None:
        """Refuse."""
        raise self._not_ours("started")

    def kill(self) -> None:
        """Refuse."""
        raise self._not_ours("killed")

    def terminate(self) -> None:
        """Refuse."""
        raise self._not_ours("stopped")

    def pause(self) -> None:
        """Refuse."""
        raise self._not_ours("paused")

    def resume(self) -> None:
        """Refuse."""
        raise self._not_ours("continued")

    def _not_ours(self, what: str) -> UsageError:
        return UsageError(f"{self.name} at {self.address} is run by others; it is never {what}")


class Remote(Backend):
    """Brokers and nodes at given addresses; nothing there is created or deleted unless named."""

    kind: ClassVar[str] = "remote"
    abilities: ClassVar[frozenset[Ability]] = frozenset()

    def __init__(self, servers: Servers, options: str = "") -> None:
        self._options = options  # those that named the servers
        self._kafka, self._scylla = servers.kafka, servers.scylla
        self._versions: dict[str, str] = {}
        self._replication = 1
        brokers = [Address.parse(each, 9092) for each in servers.kafka.bootstrap.split(",")]
        nodes = [Address(host, servers.scylla.port) for host in servers.scylla.contact_points]
        self.folder = Path()
        self.servers = (
            *(RemoteServer(f"kafka-{i}", Role.KAFKA, a) for i, a in enumerate(brokers, 1)),
            *(RemoteServer(f"scylla-{i}", Role.CQL, a) for i, a in enumerate(nodes, 1)),
        )

    @property
    def versions(self) -> Mapping[str, str]:
        """Name and version of each server's software, as far as it says so."""
        return self._versions

    @property
    def wished(self) -> str:
        """The options of ``wavetank run`` that name these servers again."""
        if self._options:
            return self._options
        hosts = ",".join(self._scylla.contact_points)
        port = self._scylla.port
        return f"--bootstrap {self.bootstrap} --contact-points {hosts} --cql-port {port}"

    @property
    def keyspace(self) -> str:
        """The keyspace of the exchange's tables."""
        return self._scylla.keyspace

    @property
    def datacenter(self) -> str:
        """The data centre of all nodes."""
        return self._scylla.datacenter

    @property
    def replication(self) -> int:
        """How many replicas a partition of a topic can have: up to three."""
        return self._replication

    @property
    def kafka_options(self) -> Mapping[str, str]:
        """What a client's configuration needs beyond the bootstrap servers: TLS, SASL."""
        return kafka.security(self._kafka)

    @property
    def kafka_keys(self) -> Mapping[str, str]:
        """Further keys of a program's ``[kafka]``, beyond ``bootstrap``: TLS, SASL."""
        return _beyond_addresses(self._kafka)

    @property
    def scylla_keys(self) -> Mapping[str, str]:
        """Further keys of a program's ``[scylla]``, beyond its addresses: TLS, credentials."""
        return _beyond_addresses(self._scylla)

    def up(self, advertise: Mapping[str, Address] = MappingProxyType({})) -> None:
        """Make sure that both answer; nothing is started."""
        if advertise:
            raise UsageError("servers that others run advertise the addresses that they have")
        self._versions = {**self._greet_brokers(), **self._greet_nodes()}

    def down(self) -> None:
        """Leave them alone."""

    def warm(self) -> None:
        """Leave them alone."""

    def _greet_brokers(self) -> dict[str, str]:
        heard = Heard(self._kafka.security_protocol)
        try:
            admin = AdminClient(kafka.client(self._kafka, "wavetank") | {"error_cb": heard})
        except ConfigError as refused:
            raise UsageError(refused.message) from None
        except KafkaException as error:
            raise UsageError(f"librdkafka refuses the settings of [kafka]: {_say(error)}") from None
        try:
            found = list_topics(admin, heard, self._kafka.connect_timeout_ms / 1000)
        except KafkaException as error:
            why = heard.words(_say(error))
            check = _check(why, "sasl_username and sasl_password of [kafka]")
            raise Infrastructure(
                f"no broker answers at {self._kafka.bootstrap}: {why}{check}"
            ) from None
        self._replication = min(3, len(found.brokers))
        return {"Kafka cluster": str(found.cluster_id)}

    def _greet_nodes(self) -> dict[str, str]:
        try:
            session = database.connect(self._scylla)
        except ConfigError as refused:
            raise UsageError(refused.message) from None
        except Stop as stop:
            check = _check(stop.message, "username and password of [scylla]")
            raise Infrastructure(f"{stop.message}{check}") from None
        try:
            return _version(session)
        except FAILURES as error:
            raise Infrastructure(f"the database does not say its version: {error}") from None
        finally:
            session.close()


def _check(why: str, settings: str) -> str:
    """Say which settings to look at, if it is the credentials that were refused."""
    refused = any(word in why for word in ("uthenticat", "redentials"))
    return f"; check {settings}" if refused else ""


def read(
    path: str | None, given: Mapping[tuple[str, str], Any], environ: Mapping[str, str]
) -> Servers:
    """Return the servers of a program's configuration file, with what was `given` on top."""
    try:
        raw = config.read(path) if path else {}
        kept = {name: raw[name] for name in ("kafka", "scylla") if isinstance(raw.get(name), dict)}
        for (section, key), value in given.items():
            if value is not None:
                kept.setdefault(section, {})[key] = value
        config.override(Servers, kept, environ)
        for section, option in _OPTIONS.items():
            if not path and section not in kept:
                raise UsageError(f"{option} is missing: both kinds of servers must be named")
        return config.convert(Servers, kept, path or "the options")
    except Stop as stop:
        raise UsageError(stop.message) from None


def _say(error: KafkaException) -> str:
    return str(error.args[0].str())


def _beyond_addresses(section: Section) -> dict[str, str]:
    """Return the keys of a section that say how to connect, not where."""
    fields = msgspec.structs.asdict(section)
    defaults = {each.name: each.default for each in msgspec.structs.fields(type(section))}
    return {
        key: value
        for key, value in fields.items()
        if isinstance(value, str) and key not in _ADDRESSES and value != defaults[key]
    }


def _version(session: Database) -> dict[str, str]:
    """ScyllaDB has a table that tells its version, Cassandra has not."""
    try:
        ((version,),) = session.query("SELECT version FROM system.versions")
    except FAILURES:
        ((version,),) = session.query("SELECT release_version FROM system.local")
        return {"CQL database": version}
    return {"ScyllaDB": version}
