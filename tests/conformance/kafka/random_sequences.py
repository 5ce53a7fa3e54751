"""Sequences of random operations from one seed, and how they are played on an arm."""

from collections.abc import Iterable
from random import Random

from tests.conformance.kafka.arms import Arm
from tests.conformance.kafka.operations import Clients, Operation, drawn
from tests.conformance.kafka.talk import Talk
from tests.conformance.kafka.wire import Notes, as_json

SEED = 20
SEQUENCES = 40
LENGTH = 40


def all_drawn(seed: int) -> dict[str, list[Operation]]:
    """Return the sequences by name."""
    return {f"random-{n}": drawn(Random(f"{seed}/{n}"), LENGTH) for n in range(SEQUENCES)}


def play(arm: Arm, name: str, operations: Iterable[Operation]) -> Notes:
    """Return the notes of operations, as JSON holds them."""
    with Talk(arm.port, arm.restart) as talk:
        clients = Clients(talk, name)
        for operation in operations:
            clients.carry_out(operation)
        return as_json(talk.notes)
