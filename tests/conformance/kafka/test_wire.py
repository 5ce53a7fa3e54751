"""The same requests to our broker and to Apache Kafka: the answers agree field by field."""

from copy import deepcopy
from pathlib import Path

import pytest

from tests.conformance.kafka import transcripts
from tests.conformance.kafka.arms import Arm
from tests.conformance.kafka.listed import LISTED
from tests.conformance.kafka.sequences import SEQUENCES
from tests.conformance.kafka.wire import compare, play, unlisted


@pytest.fixture(scope="module")
def recorded() -> transcripts.Transcript:
    """What a real broker answered once."""
    return transcripts.read("wire")


@pytest.mark.parametrize("sequence", SEQUENCES)
def test_answers_are_those_of_a_real_broker(
    arm: Arm, sequence: str, recorded: transcripts.Transcript
) -> None:
    expected = recorded.sequences[sequence]

    found = compare(sequence, play(arm, sequence), expected)

    wrong = unlisted(sequence, found) if arm.name == "ours" else list(map(str, found.items()))
    assert not wrong, "\n".join([recorded.header.age(), *wrong])


def test_what_is_recorded_is_what_is_played(recorded: transcripts.Transcript) -> None:
    assert list(recorded.sequences) == list(SEQUENCES)
    assert {place.sequence for place in LISTED} <= set(SEQUENCES)


@pytest.mark.parametrize(
    ("sequence", "module"), sorted({(place.sequence, module) for place, module in LISTED.items()})
)
def test_a_listed_difference_stands_under_simplified(sequence: str, module: str) -> None:
    simplified = (
        Path(module).read_text(encoding="utf-8").split('"""')[1].partition("**Simplified**")[2]
    )
    assert sequence in simplified
    assert "tests/conformance/kafka" in simplified


def test_one_altered_field_is_a_difference(recorded: transcripts.Transcript) -> None:
    expected = recorded.sequences["produce.offsets_of_batches"]
    altered = deepcopy(expected)
    altered[2][2]["responses"][0]["partition_responses"][0]["base_offset"] += 1

    found = compare("produce.offsets_of_batches", altered, expected)

    assert [(place.note, pair) for place, pair in found.items()] == [(2, (5, 4))]
    assert unlisted("produce.offsets_of_batches", found)


def test_a_listed_difference_that_is_gone_is_told() -> None:
    assert len(unlisted("groups.static_members", {})) == 1
