"""The layout of a back end: which server has which addresses, kept beside its data.

Started again in the same folder, a back end finds its data only under the names and addresses it
had. Brokers share a host and differ by port; nodes share their ports and differ by host, because
drivers know one port for all of them.
"""

import base64
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from scenarios.backends import ports
from scenarios.backends.base import Address
from scenarios.errors import UsageError

FILE = "layout.json"


class Layout(msgspec.Struct, frozen=True, kw_only=True):
    """Names of servers, and for each the addresses it listens at, by their use."""

    kind: str
    cluster: str
    brokers: dict[str, dict[str, Address]]
    nodes: dict[str, dict[str, Address]]

    def described(self) -> str:
        """Say in words what is laid out."""
        return described(self.kind, len(self.brokers), len(self.nodes))


class Ports(msgspec.Struct, frozen=True, kw_only=True):
    """Which ports clients want; None leaves the choice to us."""

    kafka: int | None = None  # of the first broker; the others have the next ones
    cql: int | None = None  # of all nodes


ANY = Ports()


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to lay out: how many of each, and what they use ports for, ``clients`` first."""

    kind: str
    brokers: int
    nodes: int
    broker_uses: Sequence[str]
    node_uses: Sequence[str]
    ports: Ports = ANY


def described(kind: str, brokers: int, nodes: int) -> str:
    """Say in words what a back end consists of."""
    several = "s" if brokers > 1 else "", "s" if nodes > 1 else ""
    return f"kind {kind} with {brokers} broker{several[0]} and {nodes} node{several[1]}"


def find_or_make(folder: Path, wanted: Wanted) -> Layout:
    """Return the layout kept in `folder`, or a new one; `UsageError` if it is another's."""
    found = find(folder)
    if found is None:
        return _with_ports(_make(wanted), wanted.ports)
    if _shape(found) == (wanted.kind, wanted.brokers, wanted.nodes):
        _check_uses(folder, wanted.broker_uses, found.brokers)
        _check_uses(folder, wanted.node_uses, found.nodes)
        return _with_ports(found, wanted.ports)
    raise UsageError(
        f"{folder} holds the data of {found.described()}, not"
        f" {described(wanted.kind, wanted.brokers, wanted.nodes)}; take another --folder, or delete"
        f" that data: wavetank backends down --wipe --folder {folder}"
    )


def _shape(layout: Layout) -> tuple[str, int, int]:
    return layout.kind, len(layout.brokers), len(layout.nodes)


def _check_uses(
    folder: Path, uses: Sequence[str], servers: Mapping[str, Mapping[str, Address]]
) -> None:
    for name, addresses in servers.items():
        if missing := [use for use in uses if use not in addresses]:
            raise UsageError(
                f"{folder / FILE} gives {name} no address for {', '.join(missing)}; it is of"
                f" another version of Wavetank: delete {folder}, or take another --folder"
            )


def find(folder: Path) -> Layout | None:
    """Return the layout kept in `folder`, if there is one."""
    path = folder / FILE
    try:
        return msgspec.json.decode(path.read_bytes(), type=Layout)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, OSError) as error:
        raise UsageError(f"{path} is no layout of a back end: {error}; move it away") from None


def keep(folder: Path, layout: Layout) -> None:
    """Write the layout into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    text = msgspec.json.format(msgspec.json.encode(layout))
    (folder / FILE).write_bytes(text + b"\n")


def _make(wanted: Wanted) -> Layout:
    free = iter(ports.free(wanted.brokers * len(wanted.broker_uses)))
    brokers = {
        f"kafka-{i + 1}": {use: Address("127.0.0.1", next(free)) for use in wanted.broker_uses}
        for i in range(wanted.brokers)
    }
    hosts = [f"127.0.0.{i + 1}" for i in range(wanted.nodes)]
    shared = dict(zip(wanted.node_uses, ports.free(len(wanted.node_uses), hosts), strict=True))
    nodes = {
        f"scylla-{i + 1}": {use: Address(host, port) for use, port in shared.items()}
        for i, host in enumerate(hosts)
    }
    return Layout(kind=wanted.kind, cluster=uuid.uuid4().hex, brokers=brokers, nodes=nodes)


def _with_ports(layout: Layout, chosen: Ports) -> Layout:
    """Return the layout with the ports chosen for clients."""
    brokers, nodes = layout.brokers, layout.nodes
    if chosen.kafka is not None:
        brokers = {
            name: uses | {"clients": Address(uses["clients"].host, chosen.kafka + i)}
            for i, (name, uses) in enumerate(brokers.items())
        }
    if chosen.cql is not None:
        nodes = {
            name: uses | {"clients": Address(uses["clients"].host, chosen.cql)}
            for name, uses in nodes.items()
        }
    return msgspec.structs.replace(layout, brokers=brokers, nodes=nodes)


def kafka_id(hexadecimal: str) -> str:
    """Return 32 hexadecimal digits as an id of Kafka's, which may not begin with a dash."""
    return "w" + base64.urlsafe_b64encode(bytes.fromhex(hexadecimal)).decode()[1:22]
