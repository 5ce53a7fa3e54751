"""The coordinator's half of a read: one replica's rows, the others' digests, repair if they differ.

**Faithful** (Scylla's digest_read_resolver and data_read_resolver): as many replicas are asked as
the level needs, this node first; at ONE that is one replica, however stale. If digests differ, all
asked send everything, the rows are merged, replicas that lack something get it, and the answer
waits for that, so that QUORUM reads never go back; a repair that is not acknowledged in time is
ReadTimeout with one answer less than required. A slow replica is helped out by another one
(speculative_retry); a broken connection is not noticed otherwise.
**Simplified**: percentiles of speculative_retry are 50 ms; the other replicas are asked in
rotation instead of by cache warmth and latency; after a mismatch the limit is not sent along; a
scan is one read per set of replicas; no background repair and no tombstone warnings.
"""

from collections.abc import Iterable

from sim.scylla.cql.writes import Mutation
from sim.scylla.errors import CqlError, ReadTimeout
from sim.scylla.machinery import Deadlines
from sim.scylla.parts import Parts
from sim.scylla.peers import Fetch, Found, Partitions, PeerMessage
from sim.scylla.ring import Tally
from sim.scylla.storage import NOTHING, lacking, merged
from sim.scylla.table import token

MILLISECOND, SECOND = 10**6, 10**9
READ_TIMEOUT_NS = 5 * SECOND
KEY, SPECULATE_KEY = "read", "speculate"

_PERCENTILE_NS = 50 * MILLISECOND


class Read:
    """One part of a SELECT on its way."""

    __slots__ = (
        "asked",
        "data",
        "digests",
        "fetch",
        "full",
        "id",
        "part",
        "query",
        "repairing",
        "spare",
        "tally",
        "whole",
    )

    def __init__(self, query: int, part: int, fetch: Fetch, tally: Tally) -> None:
        self.id = 0
        self.query = query  # whose part it is
        self.part = part
        self.fetch = fetch
        self.tally = tally
        self.asked: list[str] = []
        self.spare: list[str] = []
        self.digests: dict[str, bytes] = {}
        self.data: Partitions | None = None
        self.full: dict[str, Partitions] | None = None  # everything, after a mismatch
        self.whole: Partitions | None = None  # merged, while repairs are on their way
        self.repairing: dict[int, None] = {}


class Reads:
    """The reads that one node coordinates."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.pending: dict[int, Read] = {}
        self.repairs: dict[int, int] = {}  # id of a repairing write -> its read
        self.deadlines = Deadlines(KEY, READ_TIMEOUT_NS)
        self.speculation = Deadlines(SPECULATE_KEY, _PERCENTILE_NS)
        self._turn = 0

    def begin(self, read: Read, replicas: Iterable[str]) -> None:
        """Ask as many of `replicas` as the level needs."""
        parts = self.parts
        alive = [name for name in replicas if parts.detector.alive(name)]
        read.tally.check_alive(alive)
        names = [name for name in alive if read.tally.counts(name) and name != parts.me.name]
        self._turn += 1
        if names:
            turn = self._turn % len(names)
            names = names[turn:] + names[:turn]
        if parts.me.name in alive:
            names.insert(0, parts.me.name)
        wanted = read.tally.required
        speculative = read.fetch.table.options.get("speculative_retry", "NONE")
        if speculative == "ALWAYS":
            wanted += 1
        read.asked, read.spare = names[:wanted], names[wanted:]
        read.id = parts.machinery.new_id()
        self.pending[read.id] = read
        self.deadlines.add(parts.machinery, read.id)
        if read.spare and speculative != "NONE":
            self.speculation.add(parts.machinery, read.id)
        digests = read.fetch.but(limit=read.fetch.limit, digest_only=True) if wanted > 1 else None
        for place, name in enumerate(list(read.asked)):
            self._ask(read, name, digests if place and digests else read.fetch)

    def found(self, id_: int, name: str, found: Found) -> None:
        """Take a replica's answer."""
        read = self.pending.get(id_)
        if read is None or read.whole is not None or name not in read.asked:
            return
        if read.full is not None:
            if found.partitions is not None and name not in read.full:
                read.full[name] = found.partitions
                if self._enough(read, read.full):
                    self._reconcile(read)
            return
        if name in read.digests:
            return
        read.digests[name] = found.digest
        read.tally.add(name)
        if found.partitions is not None:
            read.data = found.partitions
        if read.tally.met and read.data is not None:
            if len(set(read.digests.values())) == 1:
                self._finish(read, read.data)
            else:
                self._mismatch(read)

    def repaired(self, repair: int) -> None:
        """Note that a replica has what it lacked."""
        read = self.pending.get(self.repairs.pop(repair, 0))
        if read is None:
            return
        read.repairing.pop(repair, None)
        if not read.repairing and read.whole is not None:
            self._finish(read, read.whole)

    def speculate(self) -> None:
        """Ask one more replica for what takes long."""
        for id_ in self.speculation.expired(self.parts.machinery, self.pending):
            read = self.pending[id_]
            if read.full is None and read.spare:
                name = read.spare.pop(0)
                read.asked.append(name)
                digest_only = read.data is not None
                fetch = read.fetch.but(limit=read.fetch.limit, digest_only=digest_only)
                self._ask(read, name, fetch)

    def expire(self) -> None:
        """Give up on reads that took too long."""
        for id_ in self.deadlines.expired(self.parts.machinery, self.pending):
            read = self.pending.pop(id_)
            for repair in read.repairing:
                self.repairs.pop(repair, None)
            tally = read.tally
            received = tally.received
            if read.whole is not None:
                received = tally.required - 1
            elif read.full is not None:
                received = min(len(read.full), tally.required - 1)
            self.parts.read_failed(
                read.query,
                _timeout(read, received, data_retrieved=read.data is not None),
            )

    def _ask(self, read: Read, name: str, fetch: Fetch) -> None:
        parts = self.parts
        if name == parts.me.name:
            self.found(read.id, name, parts.replica.read(fetch))
        else:
            parts.links.ask(name, PeerMessage("Fetch", read.id, fetch), READ_TIMEOUT_NS)

    def _mismatch(self, read: Read) -> None:
        read.full = {}
        everything = read.fetch.but(limit=0, digest_only=False)
        for name in list(read.digests):
            self._ask(read, name, everything)

    def _enough(self, read: Read, names: Iterable[str]) -> bool:
        """Whether everybody whose digest counted has sent everything."""
        return all(name in names for name in read.digests)

    def _reconcile(self, read: Read) -> None:
        """Merge what replicas have; send each what it lacks and wait for that."""
        assert read.full is not None
        by_name = {name: dict(partitions) for name, partitions in read.full.items()}
        keys = list(dict.fromkeys(key for found in by_name.values() for key in found))
        if read.fetch.key is None:
            keys.sort(key=lambda key: (token(key), key))
        whole = []
        repairs: list[tuple[str, Mutation]] = []
        table = read.fetch.table
        for key in keys:
            answers = [found.get(key, NOTHING) for found in by_name.values()]
            together = merged(table, key, answers).everything(backwards=read.fetch.backwards)
            whole.append((key, together))
            for name, found in by_name.items():
                missing = lacking(together, found.get(key, NOTHING))
                if missing is not None:
                    repairs.append((name, Mutation(table, key, token(key), missing)))
        read.whole = tuple(whole)
        for name, mutation in repairs:
            self._repair(read, name, mutation)
        if not read.repairing and read.id in self.pending:
            self._finish(read, read.whole)

    def _repair(self, read: Read, name: str, mutation: Mutation) -> None:
        parts = self.parts
        id_ = parts.machinery.new_id()
        read.repairing[id_] = None
        self.repairs[id_] = read.id
        if name == parts.me.name:
            parts.apply(mutation, (0, id_))
        else:
            parts.links.ask(name, PeerMessage("Repair", id_, mutation), READ_TIMEOUT_NS)

    def _finish(self, read: Read, partitions: Partitions) -> None:
        if self.pending.pop(read.id, None) is not None:
            self.parts.read_done(read.query, read.part, partitions)


def _timeout(read: Read, received: int, *, data_retrieved: bool) -> CqlError:
    tally = read.tally
    where = read.fetch.table.full_name
    return ReadTimeout(
        where,
        tally.level,
        tally.name,
        received,
        tally.required,
        data_retrieved=data_retrieved,
    )
