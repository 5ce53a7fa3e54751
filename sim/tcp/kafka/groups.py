"""What a coordinator keeps of its groups: a journal of commits and of completed generations.

**Simplified**: Kafka keeps it in the compacted topic __consumer_offsets; here it is a file that is
written anew, without what is outdated, at every start and whenever it has grown enough.
"""

from collections.abc import Callable, Iterator
from typing import Any

from sim.kafka.cluster.group import Commit, Group, Stored, StoredMember
from sim.machine import Record
from sim.tcp.kafka.journal import Journal

_COMPACT_FROM = 16 * 2**20  # bytes

Groups = dict[str, Group]


class GroupJournal:
    """Follows the groups of one broker."""

    def __init__(self, journal: Journal, groups: Groups) -> None:
        self._journal = journal
        self._groups = groups
        self._limit = _COMPACT_FROM
        self._dirty = False

    def open(self) -> None:
        """Fill the groups from the file."""
        for kind, *fields in self._journal.read():
            _REPLAY[kind](self._groups, *fields)
        self._compact()

    def add(self, record: Record) -> None:
        """Take a state change of the broker; others than those of groups are none of ours."""
        fields = record.fields
        if record.kind == "commit":
            self._journal.add(("commit", *fields))
        elif record.kind == "expire":
            self._journal.add(("forget", *fields))
        elif record.kind == "group" and fields[1] == "deleted":
            self._journal.add(("gone", fields[0]))
        elif record.kind == "group":
            group = self._groups.get(str(fields[0]))
            if group is None or group.stored is None:
                return
            self._journal.add(("stored", group.name, group.stored))
        else:
            return
        self._dirty = True

    def flush(self, *, sync: bool) -> None:
        """Write what was added."""
        if self._dirty:
            self._dirty = False
            self._journal.flush(sync=sync)
            if self._journal.size > self._limit:
                self._compact()

    def close(self) -> None:
        """Give the file back."""
        self._journal.close()

    def _compact(self) -> None:
        self._journal.replace(_entries(self._groups))
        self._limit = max(_COMPACT_FROM, 4 * self._journal.size)


def _entries(groups: Groups) -> Iterator[tuple[Any, ...]]:
    for group in groups.values():
        if group.stored is not None:
            yield "stored", group.name, group.stored
        for (topic, partition), commit in group.commits.items():
            yield "commit", group.name, topic, partition, *commit


def _commit(groups: Groups, name: str, topic: str, partition: int, *commit: Any) -> None:
    group = groups.setdefault(name, Group(name))
    group.commits[topic, partition] = Commit(*commit)


def _forget(groups: Groups, name: str, topic: str, partition: int) -> None:
    if name in groups:
        groups[name].commits.pop((topic, partition), None)


def _stored(groups: Groups, name: str, stored: list[Any]) -> None:
    group = groups.setdefault(name, Group(name))
    record = Stored(*stored)
    members = tuple(StoredMember(*member) for member in record.members)
    group.stored = record._replace(members=members)


def _gone(groups: Groups, name: str) -> None:
    groups.pop(name, None)


_REPLAY: dict[str, Callable[..., None]] = {
    "commit": _commit,
    "forget": _forget,
    "stored": _stored,
    "gone": _gone,
}
