"""Hints: writes that a replica missed, kept by the coordinator until the replica is back.

**Faithful**: kept for replicas that are down or did not answer in time, not once they have been
down for 3 h, sent when they are up again, dropped when older than the table's gc_grace_seconds;
a coordinator that dies between the write and its timeout leaves no hint.
**Simplified**: hints survive a crash of the process; power loss takes those of the last 10 s;
no limits on their number and no throttling; handed over once per second.
"""

from sim.machine import Record
from sim.scylla.cql.writes import Mutation
from sim.scylla.detector import Detector
from sim.scylla.links import Links
from sim.scylla.machinery import Machinery
from sim.scylla.peers import PeerMessage

SECOND = 10**9
_WINDOW_NS = 3 * 3600 * SECOND
_FLUSH_NS = 10 * SECOND
_AGAIN_NS = SECOND
_TIMEOUT_NS = 2 * SECOND
_AT_ONCE = 128

KEY = "hints"


class Hint:
    """One write for one replica."""

    __slots__ = ("mutation", "sent_at", "stored_at")

    def __init__(self, mutation: Mutation, stored_at: int) -> None:
        self.mutation = mutation
        self.stored_at = stored_at
        self.sent_at = -_TIMEOUT_NS


class Hints:
    """All hints of a node."""

    def __init__(self, names: list[str]) -> None:
        self.kept: dict[str, dict[int, Hint]] = {name: {} for name in names}
        self._armed = False

    def store(self, machinery: Machinery, detector: Detector, peer: str, what: Mutation) -> bool:
        """Keep a write for `peer`; False if it has been down for too long."""
        since = detector.down_since.get(peer)
        if since is not None and machinery.elapsed - since > _WINDOW_NS:
            return False
        id_ = machinery.new_id()
        self.kept[peer][id_] = Hint(what, machinery.elapsed)
        machinery.do(Record("cql-hint", peer, id_, what.packed(), subject=what))
        if since is None:
            self.arm(machinery)
        return True

    def arm(self, machinery: Machinery) -> None:
        """Have hints handed over soon, if there are any."""
        if not self._armed and any(self.kept.values()):
            self._armed = True
            machinery.alarm(KEY, machinery.elapsed + _AGAIN_NS)

    def replay(self, machinery: Machinery, detector: Detector, links: Links) -> None:
        """Send hints to the replicas that are up."""
        self._armed = False
        now = machinery.elapsed
        for peer, hints in self.kept.items():
            if not hints or not detector.alive(peer):
                continue
            for id_, hint in list(hints.items())[:_AT_ONCE]:
                grace = hint.mutation.table.options["gc_grace_seconds"] * SECOND
                if now - hint.stored_at > grace:
                    self._forget(machinery, peer, id_)
                elif now - hint.sent_at >= _TIMEOUT_NS:
                    hint.sent_at = now
                    links.ask(peer, PeerMessage("Hint", id_, hint.mutation), _TIMEOUT_NS)
            if hints:
                self.arm(machinery)

    def delivered(self, machinery: Machinery, peer: str, id_: int) -> None:
        """Forget a hint that has arrived."""
        if id_ in self.kept[peer]:
            self._forget(machinery, peer, id_)

    def table_dropped(self, machinery: Machinery, table_id: bytes) -> None:
        """Forget the hints for a table that is no more."""
        for peer, hints in self.kept.items():
            for id_, hint in list(hints.items()):
                if hint.mutation.table.id == table_id:
                    self._forget(machinery, peer, id_)

    def restore(self, machinery: Machinery, peer: str, id_: int, hint: Hint) -> None:
        """Take back a hint that an earlier process kept."""
        self.kept[peer][id_] = hint
        machinery.last_id = max(machinery.last_id, id_)

    def _forget(self, machinery: Machinery, peer: str, id_: int) -> None:
        del self.kept[peer][id_]
        machinery.do(Record("cql-hint-gone", peer, id_))

    def crashed(self, elapsed: int, *, power_loss: bool) -> None:
        """Keep what is on the disk."""
        self._armed = False
        for peer, hints in self.kept.items():
            if power_loss:
                kept = {
                    i: hint for i, hint in hints.items() if elapsed - hint.stored_at > _FLUSH_NS
                }
                self.kept[peer] = kept
            for hint in self.kept[peer].values():
                hint.sent_at = -_TIMEOUT_NS
