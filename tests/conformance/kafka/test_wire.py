"""The same requests to our broker and to Apache Kafka: the answers agree field by field."""

from collections.abc import Generator
from pathlib import Path

import pytest

from tests.conformance.kafka import transcripts
from tests.conformance.kafka.arms import ARMS, Arm
from tests.conformance.kafka.listed import LISTED
from tests.conformance.kafka.sequences import SEQUENCES
from tests.conformance.kafka.wire import compare, play, unlisted

ARMS_HERE = [
    pytest.param("ours"),
    pytest.param("real", marks=pytest.mark.real),
]


@pytest.fixture(scope="module")
def recorded() -> transcripts.Transcript:
    """What a real broker answered once."""
    return transcripts.read("wire")


@pytest.fixture(scope="module", params=ARMS_HERE)
def arm(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Generator[Arm]:
    """A broker to ask."""
    with ARMS[request.param](tmp_path_factory.mktemp(request.param)) as running:
        yield running


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
