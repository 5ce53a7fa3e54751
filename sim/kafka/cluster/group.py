"""A consumer group as its coordinator knows it: members, generation, committed offsets.

**Faithful** (`GroupMetadata.scala`, `GroupMetadataManager.java`): what the coordinator writes to
its log survives a crash: committed offsets, and of a generation what the leader's assignment
completed. A rebalance in the middle is forgotten, and so are members that were never part of a
completed generation.
"""

from typing import NamedTuple

EMPTY = "Empty"
PREPARING = "PreparingRebalance"
COMPLETING = "CompletingRebalance"
STABLE = "Stable"


class Commit(NamedTuple):
    """A committed offset."""

    offset: int
    leader_epoch: int
    metadata: str
    at_ms: int


class StoredMember(NamedTuple):
    """A member in that record."""

    member_id: str
    client_id: str
    client_host: str
    session_ms: int
    rebalance_ms: int
    protocol: str
    subscription: bytes
    assignment: bytes


class Stored(NamedTuple):
    """What the group's record in the coordinator's log says."""

    generation: int
    protocol_type: str
    protocol: str
    leader: str
    empty_since_ms: int
    members: tuple[StoredMember, ...]


class Member:
    """One member, from its first join on."""

    __slots__ = (
        "assignment",
        "client_host",
        "client_id",
        "heard",
        "heard_at",
        "is_new",
        "joining",
        "member_id",
        "protocols",
        "rebalance_ms",
        "session_ms",
        "syncing",
    )

    def __init__(self, member_id: str, client_id: str, client_host: str) -> None:
        self.member_id = member_id
        self.client_id = client_id
        self.client_host = client_host
        self.session_ms = 0
        self.rebalance_ms = 0
        self.protocols: tuple[tuple[str, bytes], ...] = ()
        self.assignment = b""
        self.joining: int | None = None  # the connection whose JoinGroup waits
        self.syncing: int | None = None  # the connection whose SyncGroup waits
        self.is_new = True  # has not seen the end of a rebalance
        self.heard = False  # since its session timer was set
        self.heard_at = 0

    def metadata(self, protocol: str) -> bytes:
        """Return what the member said about itself for `protocol`."""
        return next((metadata for name, metadata in self.protocols if name == protocol), b"")


class Group:
    """One group of the classic protocol."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.commits: dict[tuple[str, int], Commit] = {}  # durable
        self.stored: Stored | None = None  # durable
        self._forget()

    def _forget(self) -> None:
        self.state = EMPTY
        self.generation = 0
        self.protocol_type = ""
        self.protocol = ""
        self.leader = ""
        self.empty_since_ms = -1
        self.members: dict[str, Member] = {}
        self.pending: dict[str, None] = {}  # ids given out, not yet used to join
        self.unsynced: dict[str, None] = {}  # members of the generation that have not synced
        self.delay_left: int | None = None  # ms an initial rebalance may still be put off
        self.joined_meanwhile = False

    def store(self) -> None:
        """Write the group as it is to the coordinator's log."""
        self.stored = Stored(
            self.generation,
            self.protocol_type,
            self.protocol,
            self.leader,
            self.empty_since_ms,
            tuple(
                StoredMember(
                    member.member_id,
                    member.client_id,
                    member.client_host,
                    member.session_ms,
                    member.rebalance_ms,
                    self.protocol,
                    member.metadata(self.protocol),
                    member.assignment,
                )
                for member in self.members.values()
            ),
        )

    def reload(self) -> bool:
        """Go back to what the log says; return whether it says anything."""
        self._forget()
        stored = self.stored
        if stored is None:
            return bool(self.commits)
        self.generation = stored.generation
        self.protocol_type, self.protocol = stored.protocol_type, stored.protocol
        self.leader, self.empty_since_ms = stored.leader, stored.empty_since_ms
        self.state = STABLE if stored.members else EMPTY
        for record in stored.members:
            member = Member(record.member_id, record.client_id, record.client_host)
            member.session_ms, member.rebalance_ms = record.session_ms, record.rebalance_ms
            member.protocols = ((record.protocol, record.subscription),)
            member.assignment = record.assignment
            member.is_new = False
            self.members[member.member_id] = member
        return True

    @property
    def rebalance_ms(self) -> int:
        """How long a rebalance waits: the longest that a member asked for."""
        return max([member.rebalance_ms for member in self.members.values()], default=0)

    def drop(self, member_id: str) -> Member:
        """Take a member out; the next one becomes leader if it led."""
        member = self.members.pop(member_id)
        self.unsynced.pop(member_id, None)
        if self.leader == member_id:
            self.leader = next(iter(self.members), "")
        return member

    def supports(self, protocol_type: str, names: list[str]) -> bool:
        """Whether a member with these protocols may join the others."""
        if not self.members:
            return bool(protocol_type and names)
        return protocol_type == self.protocol_type and bool(self._common() & set(names))

    def choose_protocol(self) -> str:
        """Return the protocol that most members prefer among those all of them have."""
        common = self._common()
        votes: dict[str, int] = {}
        for member in self.members.values():
            first = next(name for name, _ in member.protocols if name in common)
            votes[first] = votes.get(first, 0) + 1
        most = max(votes.values())
        return min((name for name in votes if votes[name] == most), key=_bucket)

    def _common(self) -> set[str]:
        sets = [{name for name, _ in member.protocols} for member in self.members.values()]
        return set.intersection(*sets)


def _bucket(name: str) -> tuple[int, str]:
    # Among equals the broker takes the first in the order of a java.util.HashMap.
    code = 0
    for character in name:
        code = (31 * code + ord(character)) & 0xFFFFFFFF
    return (code ^ code >> 16) & 15, name
