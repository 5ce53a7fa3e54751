"""Committed offsets over time: asked for again and again, since nobody tells of them by itself.

A commit that is overtaken by another between two questions is not seen.
"""

import threading
from itertools import cycle

from reports.evidence import Commit
from scenarios.backends.base import Address, Backend
from scenarios.backends.kafka_wire import GROUP, Wire
from scenarios.stages.real.clock import Clock
from sim.kafka.entities import FindCoordinatorRequest, OffsetFetchRequest

_EVERY_S = 0.1
_PATIENCE_S = 2.0

Place = tuple[str, str, int]  # group, topic, partition


class Offsets:
    """Samples what `groups` have committed, in a thread of its own."""

    def __init__(self, backend: Backend, groups: tuple[str, ...], clock: Clock) -> None:
        self.groups = groups
        self.commits: list[Commit] = []
        self._clock = clock
        self._brokers = cycle([broker.address for broker in backend.brokers])
        self._latest: dict[Place, tuple[int, str]] = {}
        self._wires: dict[str, Wire] = {}
        self._ended = threading.Event()
        self._looking = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="offsets", daemon=True)

    def start(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def stop(self) -> bool:
        """Ask a last time and stop; False if the groups' coordinators did not answer then."""
        self._end()
        silent = [group for group in self.groups if not self._look(group)]
        self.close()
        return not silent

    def close(self) -> None:
        """Stop asking and let go of the connections."""
        self._end()
        for group in self.groups:
            self._forget(group)

    def _end(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2 * _PATIENCE_S * len(self.groups) + 1)

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the offset last seen; None if there is none."""
        found = self._latest.get((group, topic, partition))
        return found[0] if found else None

    def _run(self) -> None:
        while not self._ended.wait(_EVERY_S):
            for group in self.groups:
                self._look(group)

    def _look(self, group: str) -> bool:
        with self._looking:
            try:
                wire = self._wires.get(group) or self._connect(group)
                answer = wire.ask(
                    OffsetFetchRequest(group_id=group, topics=None, require_stable=False)
                )
            except (OSError, ConnectionError):
                answer = None
            if answer is None or answer.error_code:
                self._forget(group)
                return False
            self._note(group, answer)
            return True

    def _connect(self, group: str) -> Wire:
        with Wire(next(self._brokers), _PATIENCE_S) as anyone:
            found = anyone.ask(FindCoordinatorRequest(key=group, key_type=GROUP))
        if found.error_code:
            raise ConnectionError(found.error_code.name)
        wire = Wire(Address(found.host, int(found.port)), _PATIENCE_S)
        self._wires[group] = wire
        return wire

    def _forget(self, group: str) -> None:
        wire = self._wires.pop(group, None)
        if wire is not None:
            wire.__exit__(None, None, None)

    def _note(self, group: str, answer: object) -> None:
        now = self._clock.now
        for topic in answer.topics:  # type: ignore[attr-defined]
            for part in topic.partitions:
                place = (group, str(topic.name), int(part.partition_index))
                state = (int(part.committed_offset), part.metadata or "")
                if state[0] < 0 or self._latest.get(place) == state:
                    continue
                self._latest[place] = state
                self.commits.append(
                    Commit(
                        group=group,
                        topic=place[1],
                        partition=place[2],
                        offset=state[0],
                        metadata=state[1],
                        at_ns=now,
                    )
                )
