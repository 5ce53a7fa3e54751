"""Configuration of a CQL node: who it is, its peers, where it listens, where its data is."""

import ipaddress
from typing import Annotated, Literal

import msgspec

from sim.scylla.ring import PORT, Peer, Ring, host_id, spread

_Name = Annotated[str, msgspec.Meta(min_length=1)]
_Port = Annotated[int, msgspec.Meta(ge=0, le=65535)]
_Positive = Annotated[int, msgspec.Meta(ge=1)]

PEER_PORT = 7000


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of the file; unknown keys are refused."""


class Member(Section, frozen=True, kw_only=True):
    """One node of the cluster, as this node sees it.

    `address` and `port` are what clients are told (system.local, system.peers, events): those of a
    proxy, if one stands in front. `peer_address` and `peer_port` are where this node dials it.
    """

    name: _Name
    address: str = "127.0.0.1"
    port: _Port = PORT
    peer_address: str = "127.0.0.1"
    peer_port: _Port = PEER_PORT
    datacenter: _Name = "datacenter1"
    rack: _Name = "rack1"

    def __post_init__(self) -> None:
        try:
            unusable = ipaddress.ip_address(self.address).is_unspecified
        except ValueError:
            unusable = True
        if unusable:
            raise ValueError(
                f"address {self.address!r} of {self.name}: clients need to be told an IP address "
                "that they can reach (`listen.address` may be another)"
            )


class Listen(Section, frozen=True, kw_only=True):
    """Where this node really listens; what is left out is as its `Member` says."""

    address: str | None = None
    port: _Port | None = None
    peer_address: str | None = None
    peer_port: _Port | None = None


class Commitlog(Section, frozen=True, kw_only=True):
    """How the commit log is synced (``commitlog_sync`` of scylla.yaml), and how long it grows."""

    sync: Literal["batch", "periodic"] = "batch"
    sync_period_in_ms: _Positive = 10_000
    bytes_max: _Positive = 64 * 1024 * 1024  # since the last snapshot


class Config(Section, frozen=True, kw_only=True):
    """The whole file. All nodes of a cluster name the same members, in any order.

    A single node may have port 0 (any free port); it says on standard output which it got.
    """

    name: _Name  # of the member that this node is
    data: _Name  # the data directory; made if it is missing
    cluster: _Name = "wavetank"
    members: Annotated[tuple[Member, ...], msgspec.Meta(min_length=1)]
    listen: Listen = Listen()
    commitlog: Commitlog = Commitlog()

    def __post_init__(self) -> None:
        names = [member.name for member in self.members]
        if len(set(names)) < len(names):
            raise ValueError("each member needs a name of its own")
        if self.name not in names:
            raise ValueError(f"name {self.name!r} is none of the members: {', '.join(names)}")
        if len(names) > 1 and any(not (each.port and each.peer_port) for each in self.members):
            raise ValueError("port 0 is for a single node: give the members their ports")
        places = {(each.address, each.port) for each in self.members}
        if len(places) < len(names):
            raise ValueError("two members have the same address and port")

    @property
    def me(self) -> Member:
        """The member that this node is."""
        return next(member for member in self.members if member.name == self.name)

    @property
    def client_place(self) -> tuple[str, int]:
        """Where this node listens for clients."""
        port = self.me.port if self.listen.port is None else self.listen.port
        return self.listen.address or self.me.address, port

    @property
    def peer_place(self) -> tuple[str, int]:
        """Where this node listens for its peers."""
        port = self.me.peer_port if self.listen.peer_port is None else self.listen.peer_port
        return self.listen.peer_address or self.me.peer_address, port


def ring(config: Config, port: int) -> Ring:
    """Return the ring; `port` is the one this node got, if it is told to take any."""
    tokens = spread(sorted(member.name for member in config.members))
    return Ring(
        tuple(
            Peer(
                member.name,
                member.address,
                member.datacenter,
                member.rack,
                host_id(config.cluster, member.name),
                tokens[member.name],
                member.port or port,
            )
            for member in config.members
        )
    )
