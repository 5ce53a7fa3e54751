"""Our nodes and Apache Cassandra side by side (`make conformance`)."""

import random
from collections.abc import Generator, Iterator

import pytest

from scenarios.errors import Infrastructure
from tests.conformance.cql import arms, sequences
from tests.conformance.cql.cases import CASES
from tests.conformance.cql.compare import difference
from tests.conformance.cql.steps import KEYSPACE, REPLICATION, Case, Step
from tests.conformance.cql.talk import Talk

pytestmark = pytest.mark.real
EXAMPLES = 25  # in a turn

Pair = tuple[Talk, Talk]


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Generator[Pair]:
    folder = tmp_path_factory.mktemp("cql")
    try:
        with (
            arms.running(arms.OURS, folder) as ours,
            arms.running(arms.REAL, folder) as real,
            arms.connected(ours) as one,
            arms.connected(real) as other,
        ):
            for session in (one, other):
                session.execute(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {REPLICATION % 1}")
            yield Talk(one), Talk(other)
    except Infrastructure as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_both_arms_answer_the_same(pair: Pair, case: Case) -> None:
    ours, real = pair
    found = [difference(case.name, step, ours.say(step), real.say(step)) for step in case.steps]

    assert [each for each in found if each is not None] == []


def test_both_arms_answer_random_sequences_the_same(
    pair: Pair, counted: list[str], turns: Iterator[int]
) -> None:
    ours, real = pair
    start = random.SystemRandom().randrange(2**32)
    said, turn = 0, 0

    def say(step: Step) -> None:
        nonlocal said
        said += 1
        found = difference("sequences", step, ours.say(step), real.say(step))
        assert found is None, f"seed {start + turn}: {found}"

    def seeds() -> Iterator[int]:
        nonlocal turn
        for turn in turns:
            yield start + turn

    sequences.run(say, EXAMPLES, seeds(), shrink=True)
    made = EXAMPLES * (turn + 1)
    counted.append(
        f"both databases at once: {made:,} random sequences, {said:,} statements, "
        f"seeds {start} to {start + turn}"
    )
