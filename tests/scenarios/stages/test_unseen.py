"""What the real stage does not see is taken out of the evidence of a simulated run, no more."""

import msgspec

from reports.evidence import Commit
from scenarios import catalog
from scenarios.hunt import hunt
from scenarios.results import Result
from scenarios.stages import simulated
from scenarios.stages.unseen import OFFSETS_EVERY_NS, as_seen_for_real


def commit(offset: int, at_ns: int) -> Commit:
    return Commit(
        group="settlement",
        topic="balance.events",
        partition=0,
        offset=offset,
        metadata="",
        at_ns=at_ns,
    )


def test_nobody_saw_when_rows_became_durable_nor_commits_that_were_overtaken() -> None:
    run = simulated.run(catalog.find("nine_deposits"), 1)
    every = OFFSETS_EVERY_NS
    commits = (commit(1, 0), commit(2, every // 2), commit(3, every), commit(4, 5 * every + 1))

    left = as_seen_for_real(msgspec.structs.replace(run.evidence, commits=commits))

    assert {row.durable_ns for row in run.evidence.rows} != {None}
    assert {row.durable_ns for row in left.rows} == {None}
    assert {row.durable_ns for row in left.requests} == {None}
    assert [(c.offset, c.at_ns) for c in left.commits] == [
        (2, every),
        (3, 2 * every),
        (4, 6 * every),
    ]
    assert left.records == run.evidence.records


def test_workers_play_the_plan_of_another_seed_without_some_of_its_steps() -> None:
    def played(*arguments: str) -> Result:
        results: list[Result] = []
        hunt("torn_append", iter([5]), jobs=1, arguments=arguments, keep_results=results)
        return results[0]

    own, whole = played(), played("--plan-of", "6")
    nothing = played("--plan-of", "6", "--without", "0")

    assert own.planned == whole.planned == {"Crash(ubscore)": 1}
    assert whole.digest == own.digest  # this story has one plan for all seeds
    assert nothing.planned == {}
    assert nothing.digest != own.digest
