"""The interface that all kinds of back ends share: servers, their addresses, their lives.

A back end is laid out when it is made: every server has its name, its address and its folder, and
nothing runs. `Backend.up` starts all of them and returns when they serve; leaving the ``with``
block, or `Backend.down`, stops them. Between the two, each `Server` can be harmed on its own.

A proxy stands in front of a server when `Backend.up` is told another address to advertise: the
server listens where it always does, and tells its clients the other address.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, Self

from scenarios.errors import UsageError

NOTHING: Mapping[str, str] = MappingProxyType({})


class Role(StrEnum):
    """Which protocol a server speaks."""

    KAFKA = "kafka"
    CQL = "cql"
    CONTROLLER = "controller"  # none that clients talk to: keeps the metadata of several brokers


class Ability(StrEnum):
    """What can be done to a server of a kind; a fault without its ability has no counterpart."""

    KILL = "kill"  # kill -9, and start again on the same folder
    PAUSE = "pause"  # SIGSTOP and SIGCONT
    ADVERTISE = "advertise"  # proxies may stand in front of it
    FILES = "files"  # its log directory can be read
    CREATE = "create"  # topics and tables may be created, changed and deleted freely


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens, or says that it does."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str, default_port: int | None = None) -> Self:
        """Read ``host:port``; the port may be missing if there is a default."""
        host, colon, port = text.strip().rpartition(":")
        if not colon and default_port is not None:
            host, port = port, str(default_port)
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise UsageError(f"{text!r} is no address; write host:port, such as 127.0.0.1:9092")
        return cls(host, int(port))


class Server(ABC):
    """One broker or one node: `name` such as ``kafka-1`` or ``scylla-1``."""

    def __init__(self, name: str, role: Role, address: Address) -> None:
        self.name = name
        self.role = role
        self.address = address  # where it listens
        self.advertised = address  # where it tells its clients to go
        self.log_path: Path | None = None  # what it writes to standard output and error
        self.data: Path | None = None  # its durable files, if they can be read from here

    @property
    def pid(self) -> int | None:
        """The process, while it lives and is one of this machine."""
        return None

    @property
    def ending(self) -> str:
        """How it ended, in words, if it has and that is known."""
        return ""

    @property
    @abstractmethod
    def alive(self) -> bool:
        """Whether it runs; a paused server is alive."""

    @abstractmethod
    def start(self) -> None:
        """Start it, again on the same folder and address; return when it serves."""

    @abstractmethod
    def kill(self) -> None:
        """Kill it without warning (SIGKILL); return when it is dead."""

    @abstractmethod
    def terminate(self) -> None:
        """Stop it in order (SIGTERM); return when it has ended."""

    @abstractmethod
    def pause(self) -> None:
        """Stop it from running (SIGSTOP); it keeps its connections."""

    @abstractmethod
    def resume(self) -> None:
        """Let a paused one run on (SIGCONT)."""

    def tail(self, lines: int = 15) -> str:
        """Return the last lines of its log."""
        if self.log_path is None or not self.log_path.exists():
            return ""
        text = self.log_path.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])


class Backend(ABC):
    """Brokers and nodes of one kind."""

    kind: ClassVar[str]
    abilities: ClassVar[frozenset[Ability]]

    servers: tuple[Server, ...]
    folder: Path

    @property
    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """Name and version of each server's software."""

    @abstractmethod
    def up(self, advertise: Mapping[str, Address] = MappingProxyType({})) -> None:
        """Start all servers, return when they serve; nothing is left running if one fails.

        `advertise` maps the names of servers to the addresses of the proxies before them.
        Raises `Infrastructure`, which says what is missing or which server died and why.
        """

    @abstractmethod
    def down(self) -> None:
        """Stop all servers; their data stays in the folder."""

    @abstractmethod
    def warm(self) -> None:
        """Have the servers do what they otherwise do at the first client's request."""

    @property
    def wished(self) -> str:
        """The options of ``wavetank run`` that ask for such servers again."""
        return f"--kind {self.kind} --nodes {len(self.nodes)}"

    @property
    def brokers(self) -> tuple[Server, ...]:
        """The servers that speak Kafka's protocol."""
        return tuple(server for server in self.servers if server.role is Role.KAFKA)

    @property
    def nodes(self) -> tuple[Server, ...]:
        """The servers that speak CQL."""
        return tuple(server for server in self.servers if server.role is Role.CQL)

    @property
    def bootstrap(self) -> str:
        """The ``bootstrap.servers`` of a client, as advertised."""
        return ",".join(str(broker.advertised) for broker in self.brokers)

    @property
    def contact_points(self) -> tuple[str, ...]:
        """The hosts of the nodes, as advertised; all of them have one port."""
        return tuple(node.advertised.host for node in self.nodes)

    @property
    def cql_port(self) -> int:
        """The port of all nodes."""
        return self.nodes[0].advertised.port

    @property
    def datacenter(self) -> str:
        """The data centre of all nodes."""
        return "datacenter1"

    @property
    def replication(self) -> int:
        """How many replicas a partition of a topic can have."""
        return min(3, len(self.brokers))

    @property
    def min_insync(self) -> int:
        """How many of them must have a record before it is acknowledged."""
        return max(1, self.replication - 1)

    @property
    def kafka_options(self) -> Mapping[str, str]:
        """What a client's configuration needs beyond the bootstrap servers: TLS, SASL."""
        return NOTHING

    @property
    def kafka_keys(self) -> Mapping[str, str]:
        """Further keys of a program's ``[kafka]``, beyond ``bootstrap``: TLS, SASL."""
        return NOTHING

    @property
    def keyspace(self) -> str:
        """The keyspace of the exchange's tables."""
        return "wavetank"

    @property
    def scylla_keys(self) -> Mapping[str, str]:
        """Further keys of a program's ``[scylla]``, beyond its addresses: TLS, credentials."""
        return NOTHING

    def server(self, name: str) -> Server:
        """Return the server called `name`."""
        for server in self.servers:
            if server.name == name:
                return server
        known = ", ".join(server.name for server in self.servers)
        raise UsageError(f"the back end has no server {name!r}; it has {known}")

    def __enter__(self) -> Self:
        self.up()
        return self

    def __exit__(self, *_: object) -> None:
        self.down()
