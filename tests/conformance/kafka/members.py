"""Members of one group that join, sync and leave in any order, one step at a time.

A JoinGroup waits until all have joined, a SyncGroup until the leader has synced: those answers are
noted as soon as the state of the group says that they are due, in the order of the slots.
"""

from typing import Any

from tests.conformance.kafka import group_requests as groups
from tests.conformance.kafka.talk import Talk

_LONG_MS = 300_000  # nobody's time runs out here
_STRANGER = "stranger-00000000-0000-0000-0000-000000000000"


class Members:
    """Two members under slots 0 and 1; who has not joined yet is a stranger."""

    def __init__(self, talk: Talk, group: str) -> None:
        self.group = group
        self._talk = talk
        self._ids: dict[int, str] = {}
        self._generations: dict[int, int] = {}
        self._leader = ""
        self._generation = 0
        self._waiting: dict[int, Any] = {}  # slot -> its JoinGroup or SyncGroup

    def identity(self, slot: int) -> tuple[str, int]:
        """Return the member id and the generation that a member knows."""
        return self._ids.get(slot, _STRANGER), self._generations.get(slot, 0)

    def join(self, slot: int, subscription: str) -> None:
        """Join, or join again; ask for an id first."""
        if slot in self._waiting:
            return
        if slot not in self._ids:
            first = self._join(slot, "", subscription)
            self._ids[slot] = self._talk.ask(first, str(slot)).member_id
        body = self._join(slot, self._ids[slot], subscription)
        self._send(slot, body, "PreparingRebalance")

    def sync(self, slot: int, generation: int) -> None:
        """Sync; the leader gives everybody something."""
        if slot in self._waiting:
            return
        member, known = self.identity(slot)
        given = {each: b"%d" % at for at, each in sorted(self._ids.items())}
        right = slot in self._ids and known + generation == self._generation
        body = groups.sync(
            self.group, member, known + generation, given if member == self._leader else None
        )
        if right and member != self._leader:
            self._send(slot, body, "CompletingRebalance")
        else:
            self._talk.ask(body, str(slot))
            self._settle()

    def heartbeat(self, slot: int, generation: int) -> None:
        """Say that a member lives."""
        member, known = self.identity(slot)
        self._talk.ask(groups.heartbeat(self.group, member, known + generation))

    def leave(self, slot: int) -> None:
        """Leave; a JoinGroup that waits is answered, a SyncGroup is not, as long as one waits."""
        member, _ = self.identity(slot)
        self._ids.pop(slot, None)
        self._talk.ask(groups.leave(self.group, member))
        if hasattr(self._waiting.get(slot), "protocols"):
            self._hear(slot)
        elif self._waiting.pop(slot, None) is not None:
            self._talk.hang_up(str(slot))
        self._settle()

    def _join(self, slot: int, member: str, subscription: str) -> Any:
        offered = {"range": subscription.encode()}
        return groups.join(self.group, member, offered, session=_LONG_MS, rebalance=_LONG_MS)

    def _send(self, slot: int, body: Any, waits_in: str) -> None:
        self._talk.tell(body, str(slot))
        self._waiting[slot] = body
        self._talk.settle(lambda _: self._talk.answered(str(slot)) or self._state() == waits_in)
        joins = {s for s, each in self._waiting.items() if hasattr(each, "protocols")}
        if self._talk.answered(str(slot)) or (slot in joins and joins >= set(self._ids)):
            self._hear(slot)
        self._settle()

    def _settle(self) -> None:
        """Note the answers that the state of the group, or a step of the rest, makes due."""
        state = self._state()
        for slot in sorted(self._waiting):
            is_join = hasattr(self._waiting[slot], "protocols")
            if state != ("PreparingRebalance" if is_join else "CompletingRebalance"):
                self._hear(slot)

    def _state(self) -> str:
        (found,) = self._talk.quietly(groups.describe_group(self.group)).groups
        state: str = found.group_state
        return state

    def _hear(self, slot: int) -> None:
        body = self._waiting.pop(slot)
        found = self._talk.hear(body, str(slot))
        if hasattr(body, "protocols") and not found.error_code:
            self._generation = self._generations[slot] = found.generation_id
            self._leader = found.leader
