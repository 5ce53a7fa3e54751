"""Records what Apache Cassandra answers: ``python -m tests.conformance.cql.record [seed]``.

The transcripts are replayed on our nodes by `make test`, which needs no Java.
"""

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.conformance import transcripts
from tests.conformance.cql import arms, sequences
from tests.conformance.cql.cases import CASES
from tests.conformance.cql.steps import KEYSPACE, REPLICATION, Step
from tests.conformance.cql.talk import Talk

FOLDER = Path(__file__).parent / "transcripts"
_EXAMPLES = 60


def main(start: int) -> None:
    """Record the cases, and some random sequences that follow from the seed `start`."""
    with (
        tempfile.TemporaryDirectory() as folder,
        arms.running(arms.REAL, Path(folder)) as backend,
        arms.connected(backend) as session,
    ):
        session.execute(f"CREATE KEYSPACE {KEYSPACE} WITH replication = {REPLICATION % 1}")
        server, talk = arms.version(backend), Talk(session)
        cases = {case.name: [_note(talk, step) for step in case.steps] for case in CASES}
        notes: list[Any] = []
        sequences.run(
            lambda step: notes.append(_note(talk, step)), _EXAMPLES, [start], shrink=False
        )
    transcripts.write(FOLDER / "cases.jsonl", server, cases)
    transcripts.write(FOLDER / "sequences.jsonl", server, {"sequences": notes}, start)
    print(f"{server}, seed {start}: {len(cases)} cases and {len(notes)} random steps in {FOLDER}")


def _note(talk: Talk, step: Step) -> Any:
    return [step.packed(), talk.say(step)]


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1)
