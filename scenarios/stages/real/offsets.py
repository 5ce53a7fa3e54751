"""Committed offsets over time: asked for again and again, since nobody tells of them by itself.

A commit that is overtaken by another between two questions is not seen. Asking joins no group.
"""

import threading
from typing import Any

from confluent_kafka import Consumer, KafkaException, TopicPartition

from reports.evidence import Commit
from scenarios.backends.base import Backend
from scenarios.stages.real.clock import Clock
from scenarios.stages.unseen import OFFSETS_EVERY_NS
from system import topics

_EVERY_S = OFFSETS_EVERY_NS / 10**9
_PATIENCE_S = 2.0

Place = tuple[str, str, int]  # group, topic, partition


class Offsets:
    """Samples what `groups` have committed, in a thread of its own."""

    def __init__(
        self, backend: Backend, groups: tuple[str, ...], partitions: int, clock: Clock
    ) -> None:
        self.groups = groups
        self.commits: list[Commit] = []
        self._backend = backend
        self._clock = clock
        self._places = [TopicPartition(t, p) for t in topics.ALL for p in range(partitions)]
        self._latest: dict[Place, tuple[int, str]] = {}
        self._askers: dict[str, Consumer] = {}
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
        while self._askers:
            self._askers.popitem()[1].close()

    def committed(self, group: str, topic: str, partition: int) -> int | None:
        """Return the offset last seen; None if there is none."""
        found = self._latest.get((group, topic, partition))
        return found[0] if found else None

    def _end(self) -> None:
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join(2 * _PATIENCE_S * len(self.groups) + 1)

    def _run(self) -> None:
        while not self._ended.wait(_EVERY_S):
            for group in self.groups:
                self._look(group)

    def _look(self, group: str) -> bool:
        with self._looking:
            try:
                answer = self._asker(group).committed(self._places, timeout=_PATIENCE_S)
            except KafkaException:
                return False
            self._note(group, answer)
            return not [place for place in answer if place.error is not None]

    def _asker(self, group: str) -> Consumer:
        if group not in self._askers:
            self._askers[group] = Consumer(
                {
                    "bootstrap.servers": self._backend.bootstrap,
                    "group.id": group,
                    "client.id": "wavetank-reader",
                    "enable.auto.commit": False,
                    "log_level": 0,
                    **self._backend.kafka_options,
                }
            )
        return self._askers[group]

    def _note(self, group: str, answer: list[Any]) -> None:
        now = self._clock.now
        for found in answer:
            place, state = (group, found.topic, found.partition), (found.offset, found.metadata)
            if found.error is not None or found.offset < 0 or self._latest.get(place) == state:
                continue
            self._latest[place] = state
            self.commits.append(
                Commit(
                    group=group,
                    topic=found.topic,
                    partition=found.partition,
                    offset=found.offset,
                    metadata=found.metadata or "",
                    at_ns=now,
                )
            )
