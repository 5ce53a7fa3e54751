"""``wavetank run``, ``report`` and ``demo``: one run, judged, kept and shown."""

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reports import folder as folders
from reports.folder import FolderError
from reports.judge import Judgement, judge
from reports.pages import text
from reports.pages.writing import write_run
from scenarios import catalog, plan_checks, plan_text
from scenarios.commands.live import LIVE
from scenarios.errors import Infrastructure, UsageError
from scenarios.plan_text import PLAN
from scenarios.scenario import Plan, Scenario

if TYPE_CHECKING:
    from scenarios.stages.simulated import Run

_CODES = {"held": 0, "broken": 1, "unknown": 3, "nondeterministic": 4}
_DEMO = (
    ("nine_deposits", 1, "nine deposits, nobody does any harm", "held"),
    ("lost_send", 1, "the bug that lost all nine: a send that nobody awaited", "broken"),
    ("torn_append", 1, "UBSCore killed half-way through an append to its log", "held"),
)


def code(verdict: str) -> int:
    """Return the exit code of a verdict."""
    return _CODES[verdict]


def run(name: str, seed: int, plan: str | None, runs: str, *, report: bool) -> int:
    """Run once, keep it, show one screen; return the exit code."""
    from scenarios.stages import simulated  # noqa: PLC0415 - the doors, which real runs have not

    scenario = catalog.find(name)
    made = simulated.run(scenario, seed, plan=given(scenario, seed, plan), sampled=report)
    show(made.judgement, lambda: keep(made, runs) if report else "")
    return code(made.result.verdict)


def given(scenario: Scenario, seed: int, path: str | None) -> Plan | None:
    """Return the plan that `path` holds, checked; None if it is the one that the seed draws."""
    if path is None:
        return None
    plan = plan_text.read(path)
    plan_checks.check(plan, scenario.deployment)
    return None if plan == scenario.plan_of(seed) else plan


def name_of(seed: int, plan: Plan | None) -> str:
    """Return the name of a run's folder; `plan` is the one that was given, if any."""
    return str(seed) if plan is None else f"{seed}-plan-{plan_text.digest(plan)}"


def show(judgement: Judgement, keeping: Callable[[], str]) -> str:
    """Keep a run and show its screen; return its folder.

    What was found out is shown even if there is no place to keep it.
    """
    folder = ""
    try:
        folder = keeping()
    finally:
        click.echo(text.summary(judgement, folder=folder))
    return folder


def demo(runs: str) -> int:
    """Make the three runs of the demonstration; 0 if each ended as it must."""
    from scenarios.stages import simulated  # noqa: PLC0415 - the doors, which real runs have not

    rows, right = [], True
    for name, seed, story, expected in _DEMO:
        click.secho(f"\n── {name}: {story}", bold=True)
        made = simulated.run(catalog.find(name), seed, sampled=True)
        folder = show(made.judgement, partial(keep, made, runs))
        rows.append((name, made.result.verdict, str(Path(folder, "report.html"))))
        right = right and made.result.verdict == expected
    click.secho("── three verdicts", bold=True)
    for name, verdict, page in rows:
        click.echo(f"  {name:<16}{verdict:<10}{page}")
    return 0 if right else 1


def report(where: str) -> int:
    """Judge the evidence in a run folder again, write its report anew and show it."""
    if not is_folder(where):
        raise UsageError(f"{where[:200]!r} is no folder; wavetank run prints where it keeps a run")
    path = Path(where)
    try:
        evidence = folders.load(path)
    except FolderError as error:
        raise UsageError(str(error)) from None
    judgement = judge(evidence)
    kept = [file for file in sorted(path.glob(f"{LIVE}/**/*")) if file.is_file()]
    extra = {str(file.relative_to(path)): file.read_bytes() for file in kept}
    extra[PLAN] = _bytes_of(path / PLAN)
    _write(path, judgement, extra)
    click.echo(text.summary(judgement, folder=where))
    return code(judgement.verdict)


def is_folder(name: str) -> bool:
    """Whether there is a folder called `name`, which may be longer than any name can be."""
    try:
        return bool(name) and Path(name).is_dir()
    except OSError:
        return False


def keep(made: "Run", runs: str) -> str:
    """Write the run folder; return its path."""
    path = Path(runs, made.scenario.name, name_of(made.seed, made.given))
    keep_folder(path, made.judgement, made.plan, {}, runs)
    return str(path)


def keep_folder(
    path: Path,
    judgement: Judgement,
    plan: Plan,
    extra: dict[str, bytes],
    runs: str,
) -> None:
    """Write a run folder with its plan and `extra` files, and call it the latest."""
    _write(path, judgement, {**extra, PLAN: plan_text.source(plan).encode()})
    latest = Path(runs, "latest")
    try:
        latest.unlink(missing_ok=True)
        latest.symlink_to(path.relative_to(runs))
    except OSError:
        pass  # a convenience; the run itself is kept


def _write(path: Path, judgement: Judgement, extra: dict[str, bytes]) -> None:
    try:
        write_run(path, judgement, extra=extra)
    except FolderError as error:
        free = shutil.disk_usage(_existing(path)).free // 2**20
        raise Infrastructure(f"{error} ({free} MB are free there)") from None


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _bytes_of(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""
