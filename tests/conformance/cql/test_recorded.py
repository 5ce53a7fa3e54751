"""Our nodes against what Apache Cassandra answered when we recorded it."""

from collections.abc import Generator
from typing import Any

import pytest

from tests.conformance import transcripts
from tests.conformance.cql import arms
from tests.conformance.cql.cases import CASES
from tests.conformance.cql.compare import difference
from tests.conformance.cql.exceptions import EXCEPTIONS
from tests.conformance.cql.record import FOLDER
from tests.conformance.cql.steps import KEYSPACE, REPLICATION, Case, Step
from tests.conformance.cql.talk import Talk

RECORDED = transcripts.read(FOLDER / "cases.jsonl")
SEQUENCES = transcripts.read(FOLDER / "sequences.jsonl")
AGE = RECORDED.header.age()


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Generator[Talk]:
    folder = tmp_path_factory.mktemp("cql")
    with arms.running(arms.OURS, folder) as backend, arms.connected(backend) as session:
        session.execute(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {REPLICATION % 1}")
        yield Talk(session)


def wrong(talk: Talk, case: str, notes: list[Any]) -> list[str]:
    steps = [(Step.unpacked(packed), answer) for packed, answer in notes]
    found = [difference(case, step, talk.say(step), answer) for step, answer in steps]
    return [each for each in found if each is not None]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_our_node_answers_as_cassandra_did(talk: Talk, case: Case) -> None:
    notes = RECORDED.sequences.get(case.name, [])
    recorded = [packed for packed, _ in notes]
    assert recorded == [step.packed() for step in case.steps], "record it: make conformance-record"

    assert wrong(talk, case.name, notes) == [], AGE


def test_our_node_answers_random_sequences_as_cassandra_did(talk: Talk) -> None:
    assert wrong(talk, "sequences", SEQUENCES.sequences["sequences"]) == [], AGE


def test_nothing_is_recorded_or_listed_that_is_no_case() -> None:
    shown = {case.name: [step.shown for step in case.steps] for case in CASES}

    assert set(RECORDED.sequences) == set(shown)
    for place in EXCEPTIONS:
        assert any(place.part in text for text in shown[place.case]), place
