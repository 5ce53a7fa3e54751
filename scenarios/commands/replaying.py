"""``wavetank replay``: the same run again, or a word about why not."""

from dataclasses import dataclass
from pathlib import Path

import click

from reports.evidence import About
from reports.folder import ABOUT, EVIDENCE, FolderError, load
from reports.pages import text
from scenarios import catalog, plan_checks
from scenarios.commands import running
from scenarios.errors import Different, UsageError
from scenarios.scenario import Plan, Scenario
from scenarios.stages import simulated
from scenarios.token import FORMAT, Token, seed_of

SECOND = 10**9


@dataclass(frozen=True, slots=True)
class Asked:
    """Which run is to be made again; `plan` is None if its seed draws it.

    `digest` is the one on record, if there is one of these very versions.
    """

    scenario: Scenario
    seed: int
    plan: Plan | None = None
    digest: str | None = None


def replay(what: str, scenario: str | None, until: str | None, runs: str, *, force: bool) -> int:
    """Run `what` again and compare digests; return the exit code."""
    wanted = asked(what, scenario, runs, force=force)
    if until is not None:
        return _until(wanted, until)
    run = simulated.run(wanted.scenario, wanted.seed, plan=wanted.plan)
    expected, source = wanted.digest, "the run folder"
    if expected is None:
        again = simulated.run(wanted.scenario, wanted.seed, plan=wanted.plan)
        expected, source = again.result.digest, "a second run"
    if run.result.digest != expected:
        name = wanted.scenario.name
        raise Different(
            f"seed {wanted.seed} of {name} took another course: digest {run.result.digest}, "
            f"{source} says {expected}; `wavetank twin {name} --seed {wanted.seed}` looks for "
            "the first difference"
        )
    click.echo(text.summary(run.judgement))
    click.echo(f"  same digest as {source}: {expected}")
    return running.code(run.result.verdict)


def asked(what: str, name: str | None, runs: str, *, force: bool) -> Asked:
    """Return what a token, a seed (of the scenario `name`) or a run folder asks for."""
    if what.startswith("wt"):
        return _of_token(Token.parse(what), runs, force=force)
    if what.isdecimal():
        seed = seed_of(what)
        name = name or _latest(seed, runs)
        return Asked(catalog.find(name), seed, None, _recorded(Path(runs, name, str(seed))))
    if not running.is_folder(what):
        raise UsageError(
            f"{what[:200]!r} is neither a token ({FORMAT}:...), a seed nor a run folder; "
            "wavetank run prints the token of each run"
        )
    folder = Path(what)
    about = _about(folder)
    if about.stage == "real":
        plan = f" --plan {what}" if about.plan_given else ""
        raise UsageError(
            f"{what} was made on the real stage, where no two runs are the same;"
            f" run its plan again: {about.command}{plan}"
        )
    return _of_token(Token.parse(about.token), runs, force=force, folder=folder)


def _of_token(token: Token, runs: str, *, force: bool, folder: Path | None = None) -> Asked:
    scenario = catalog.find(token.scenario)
    differences = token.differences(Token.of(scenario, token.seed))
    if differences and not force:
        raise UsageError(
            "the token is of another version:\n  "
            + "\n  ".join(differences)
            + "\nuse that version, or --force to run the seed with this one"
        )
    if token.plan is not None:
        plan_checks.check(token.plan, scenario.deployment)
    folder = folder or Path(runs, token.scenario, running.name_of(token.seed, token.plan))
    return Asked(scenario, token.seed, token.plan, None if differences else _recorded(folder))


def _recorded(folder: Path) -> str | None:
    if not _is_run(folder):
        return None
    about = _about(folder)
    token = Token.parse(about.token)
    same = not token.differences(Token.of(catalog.find(token.scenario), token.seed))
    return about.digest or None if same else None


def _is_run(folder: Path) -> bool:
    return Path(folder, EVIDENCE, ABOUT).exists()


def _about(folder: Path) -> About:
    try:
        return load(folder).about
    except FolderError as error:
        raise UsageError(str(error)) from None


def _latest(seed: int, runs: str) -> str:
    folders = [path for path in Path(runs).glob(f"*/{seed}") if _is_run(path)]
    if not folders:
        raise UsageError(
            f"no run of seed {seed} is kept under {runs!r}; say --scenario NAME "
            "(wavetank list shows the names)"
        )
    return max(folders, key=lambda path: path.stat().st_mtime).parent.name


def _until(wanted: Asked, until: str) -> int:
    """Stop at a time and show where everything stands."""
    try:
        at_ns = int(float(until.removesuffix("s")) * SECOND)
    except (ValueError, OverflowError):
        at_ns = -1
    if at_ns < 0:
        raise UsageError(f"--until {until!r} is no time; write seconds, as in 12.5")
    for line in simulated.look_at(wanted.scenario, wanted.seed, at_ns, wanted.plan):
        click.echo(line)
    return 0
