"""Random operations: what may be drawn, and the clients that carry them out on one arm.

An operation is its name and its arguments, plain values that JSON can hold; what a broker has made
up (ids of members and producers) is kept by the clients under small numbers, called slots.
"""

from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.conformance.kafka import group_requests as groups
from tests.conformance.kafka import requests
from tests.conformance.kafka.members import Members
from tests.conformance.kafka.talk import Talk


class Operation(NamedTuple):
    """One thing that a client does."""

    name: str
    arguments: dict[str, Any]


_PARTITIONS = (0, 0, 0, 1, 2)  # there is no 2
_OFFSETS = (-2, -1, 0, 1, 2, 3, 5, 8, 13, 1000)
_SLOTS = (0, 1)
_TOPICS = ("plain", "plain", "stamped", "nowhere")
_GENERATIONS = (0, 0, 0, -1, 1)  # from the one that the member knows

DOMAINS: dict[str, dict[str, tuple[Any, ...]]] = {
    "produce": {
        "topic": _TOPICS,
        "partition": _PARTITIONS,
        "times": ((5,), (7, 3), (3, 9, 9), (20,), (2, 2)),
        "acks": (-1, 1),
    },
    "produce_in_sequence": {
        "slot": _SLOTS,
        "partition": (0, 1),
        "count": (1, 2),
        "back": (0, 0, 0, 1, 2, 6, -1),
        "epoch": (0, 0, 0, 1, -1),
    },
    "new_producer": {"slot": _SLOTS},
    "fetch": {
        "topic": _TOPICS,
        "partition": _PARTITIONS,
        "offset": _OFFSETS,
        "limit": (0, 70, 150, 10**6),
        "isolation": (0, 1),
        "epoch": (-1, -1, 0, 1),
        "last_epoch": (-1, -1, 0, 1),
    },
    "list_offsets": {
        "topic": _TOPICS,
        "partition": _PARTITIONS,
        "at": (-1, -2, -3, 0, 3, 6, 9, 21, 2**50),
        "epoch": (-1, -1, 0, 1),
    },
    "end_of_epoch": {"topic": _TOPICS, "partition": _PARTITIONS, "epoch": (-1, 0, 1)},
    "delete_records": {"topic": _TOPICS, "partition": _PARTITIONS, "offset": _OFFSETS},
    "join": {"slot": _SLOTS, "subscription": ("a", "a", "b")},
    "sync": {"slot": _SLOTS, "generation": _GENERATIONS},
    "heartbeat": {"slot": _SLOTS, "generation": _GENERATIONS},
    "leave": {"slot": _SLOTS},
    "commit": {
        "slot": (0, 1, None),
        "generation": _GENERATIONS,
        "topic": _TOPICS,
        "partition": _PARTITIONS,
        "offset": (0, 3, 99),
        "metadata": (None, "", "why"),
    },
    "committed": {"topic": (*_TOPICS, None)},
    "describe_group": {},
}


def drawn(random: Random, count: int) -> list[Operation]:
    """Return operations drawn by `random`."""
    kinds = sorted(DOMAINS)
    return [
        Operation(name, {key: random.choice(values) for key, values in DOMAINS[name].items()})
        for name in random.choices(kinds, k=count)
    ]


def arguments(name: str) -> dict[str, st.SearchStrategy[Any]]:
    """Return, for Hypothesis, how the arguments of an operation are drawn."""
    return {key: st.sampled_from(values) for key, values in DOMAINS[name].items()}


class Clients:
    """Producers, readers and members of a group, at work on two topics of two partitions."""

    def __init__(self, talk: Talk, name: str) -> None:
        self.talk = talk
        self.name = name
        self.members = Members(talk, f"{name}-group")
        self._producers: dict[int, int] = {}
        self._next: dict[tuple[int, int], int] = {}
        talk.topic(f"{name}-plain", 2)
        talk.topic(f"{name}-stamped", 2, message_timestamp_type="LogAppendTime")

    def carry_out(self, operation: Operation) -> None:
        """Do what is asked; what is said and answered is in the notes."""
        members: dict[str, Callable[..., None]] = {
            "join": self.members.join,
            "sync": self.members.sync,
            "heartbeat": self.members.heartbeat,
            "leave": self.members.leave,
        }
        act = members.get(operation.name) or getattr(self, operation.name)
        act(**operation.arguments)

    def produce(self, topic: str, partition: int, times: list[int], acks: int) -> None:
        batch = requests.batch(*[b"v"] * len(times), at=times)
        self.talk.ask(requests.produce(self._topic(topic), batch, partition=partition, acks=acks))

    def new_producer(self, slot: int) -> None:
        given = self.talk.ask(requests.producer_id())
        self._producers[slot] = given.producer_id
        self._next = {key: value for key, value in self._next.items() if key[0] != slot}

    def produce_in_sequence(
        self, slot: int, partition: int, count: int, back: int, epoch: int
    ) -> None:
        if slot not in self._producers:
            self.new_producer(slot)
        following = self._next.get((slot, partition), 0)
        batch = requests.batch(
            *[b"i"] * count,
            producer_id=self._producers[slot],
            producer_epoch=epoch,
            base_sequence=max(following - back, 0),
        )
        body = requests.produce(self._topic("plain"), batch, partition=partition)
        found = self.talk.ask(body).responses[0].partition_responses[0]
        if not found.error_code and back <= 0:
            self._next[slot, partition] = following - back + count

    def fetch(
        self,
        topic: str,
        partition: int,
        offset: int,
        limit: int,
        isolation: int,
        epoch: int,
        last_epoch: int,
    ) -> None:
        part = requests.wanted(
            partition, offset, limit, current_leader_epoch=epoch, last_fetched_epoch=last_epoch
        )
        self.talk.ask(requests.fetch(self._topic(topic), part, isolation=isolation))

    def list_offsets(self, topic: str, partition: int, at: int, epoch: int) -> None:
        name = self._topic(topic)
        self.talk.ask(requests.list_offsets(name, at, partition=partition, epoch=epoch))

    def end_of_epoch(self, topic: str, partition: int, epoch: int) -> None:
        self.talk.ask(requests.end_of_epoch(self._topic(topic), epoch, partition))

    def delete_records(self, topic: str, partition: int, offset: int) -> None:
        self.talk.ask(requests.delete_records(self._topic(topic), offset, partition))

    def commit(
        self,
        slot: int | None,
        generation: int,
        topic: str,
        partition: int,
        offset: int,
        metadata: str | None,
    ) -> None:
        member, known = ("", -1) if slot is None else self.members.identity(slot)
        self.talk.ask(
            groups.commit(
                self.members.group,
                self._topic(topic),
                offset,
                member=member,
                generation=-1 if slot is None else known + generation,
                partition=partition,
                metadata=metadata,
            )
        )

    def committed(self, topic: str | None) -> None:
        name = None if topic is None else self._topic(topic)
        self.talk.ask(groups.committed(self.members.group, name, 0, 1))

    def describe_group(self) -> None:
        self.talk.ask(groups.describe_group(self.members.group))

    def _topic(self, topic: str) -> str:
        return f"{self.name}-{topic}"
