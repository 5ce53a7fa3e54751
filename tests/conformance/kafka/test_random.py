"""Random sequences of operations: our broker's answers are those that Apache Kafka gave."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conformance.kafka import random_sequences, transcripts
from tests.conformance.kafka.arms import ARMS, Arm
from tests.conformance.kafka.operations import Operation
from tests.conformance.kafka.random_sequences import all_drawn, play
from tests.conformance.kafka.together import search
from tests.conformance.kafka.wire import compare

RECORDED = transcripts.read("random")


@pytest.mark.parametrize("name", RECORDED.sequences)
def test_random_operations_are_answered_as_a_real_broker_did(arm: Arm, name: str) -> None:
    kept = RECORDED.sequences[name]
    operations = [Operation(*each) for each in kept["operations"]]

    found = compare(name, play(arm, name, operations), kept["notes"])

    assert not found, "\n".join([RECORDED.header.age(), *map(str, found.items())])


def test_what_is_recorded_was_drawn_from_its_seed() -> None:
    kept = {
        name: [Operation(*each) for each in sequence["operations"]]
        for name, sequence in RECORDED.sequences.items()
    }
    assert RECORDED.header.seed == random_sequences.SEED
    drawn = all_drawn(random_sequences.SEED)
    as_lists = {
        name: [
            Operation(
                each.name,
                {k: list(v) if isinstance(v, tuple) else v for k, v in each.arguments.items()},
            )
            for each in operations
        ]
        for name, operations in drawn.items()
    }
    assert kept == as_lists


@pytest.mark.real
def test_no_sequence_that_hypothesis_finds_tells_the_two_apart(
    tmp_path: Path, counted: list[str], turns: Iterator[int]
) -> None:
    with ARMS["ours"](tmp_path) as ours, ARMS["real"](tmp_path) as real:
        compared = search(ours, real, turns)
    counts = ", ".join(f"{number:,} {what}" for what, number in compared.items())
    counted.append(f"both Kafka brokers at once: {counts}")
    assert compared["fields"]
