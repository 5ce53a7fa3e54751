"""The layout of a back end: which server has which addresses, kept beside its data.

Started again in the same folder, a back end finds its data only under the names and addresses it
had. Brokers share a host and differ by port; nodes share their ports and differ by host, because
drivers know one port for all of them.
"""

import uuid
from collections.abc import Sequence
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


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What to lay out: how many of each, what they use ports for, which ports clients want."""

    kind: str
    brokers: int
    nodes: int
    broker_uses: Sequence[str]
    node_uses: Sequence[str]
    kafka_port: int | None = None  # of the first broker; the others have the next ones
    cql_port: int | None = None


def find_or_make(folder: Path, wanted: Wanted) -> Layout:
    """Return the layout kept in `folder`, or a new one; `UsageError` if it is another's."""
    found = find(folder)
    if found is None:
        return _make(wanted)
    if (found.kind, len(found.brokers), len(found.nodes)) == (
        wanted.kind,
        wanted.brokers,
        wanted.nodes,
    ):
        return found
    raise UsageError(
        f"{folder} holds the data of a back end of kind {found.kind} with {len(found.brokers)}"
        f" brokers and {len(found.nodes)} nodes, not of kind {wanted.kind} with {wanted.brokers}"
        f" and {wanted.nodes}; take another --folder, or delete it:"
        f" wavetank backends down --wipe --folder {folder}"
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
    if wanted.kafka_port is not None:
        for i, uses in enumerate(brokers.values()):
            uses["clients"] = Address("127.0.0.1", wanted.kafka_port + i)
    if wanted.cql_port is not None:
        for uses in nodes.values():
            uses["clients"] = Address(uses["clients"].host, wanted.cql_port)
    return Layout(kind=wanted.kind, cluster=uuid.uuid4().hex, brokers=brokers, nodes=nodes)
