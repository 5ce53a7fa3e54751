"""The command line. Everything heavy is imported by the command that needs it.

Exit codes: 0 held, 1 broken, 2 usage, 3 unknown, 4 nondeterministic, 75 infrastructure,
130 interrupted.
"""

import os
import sys
import traceback
from collections.abc import Callable
from typing import Any, NoReturn

import click

from scenarios.cli_backends import backends
from scenarios.cli_load import load
from scenarios.cli_options import refuse, runs_option, seed_option, servers_options, stage_option
from scenarios.cli_reconcile import reconcile
from sim import lean

HASH_SEED = "0"
_CLICKS_OWN = (click.ClickException, click.Abort, click.exceptions.Exit)


class _Group(click.Group):
    """Turns our errors into one line and their exit code; no traceback reaches a user."""

    def invoke(self, ctx: click.Context) -> Any:
        from scenarios.errors import WavetankError  # noqa: PLC0415 - keeps --help fast

        try:
            return super().invoke(ctx)
        except WavetankError as error:
            click.echo(f"wavetank: {error}", err=True)
            ctx.exit(error.code)
        except KeyboardInterrupt:
            _interrupted(ctx)
        except (*_CLICKS_OWN, SystemExit, BrokenPipeError):
            raise
        except BaseException as error:  # noqa: BLE001 - the last hand before a user's screen
            _no_verdict(ctx, error)


def _interrupted(ctx: click.Context) -> NoReturn:
    click.echo("wavetank: interrupted", err=True)
    ctx.exit(130)


def _no_verdict(ctx: click.Context, error: BaseException) -> NoReturn:
    """Say why there is no verdict: the world could not go on, or Wavetank has a defect."""
    from sim.errors import SimulationError  # noqa: PLC0415 - keeps --help fast

    if isinstance(error.__context__, KeyboardInterrupt):
        _interrupted(ctx)  # it hit code that made another error of it
    if isinstance(error, SimulationError):
        click.echo(f"wavetank: unknown, the run could not be finished: {error}", err=True)
        ctx.exit(3)
    where = traceback.extract_tb(error.__traceback__)[-1]
    click.echo(
        f"wavetank: a defect of Wavetank itself: {type(error).__name__}: {error} "
        f"({where.filename}:{where.lineno}); nothing is said about the ledger, please report it",
        err=True,
    )
    ctx.exit(75)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option("0.1.0", prog_name="wavetank")
def wavetank() -> None:
    """Run an exchange's real programs in a deterministic world, and reconcile every unit.

    \b
    wavetank list                      what there is to run
    wavetank run nine_deposits         one run, with its report
    wavetank hunt chaos_deposits       many seeds, on all cores
    """


@wavetank.command("list")
@click.option("--controls", is_flag=True, help="Show the planted bugs as well.")
@click.option("--faults", is_flag=True, help="Show what each fault is on the real stage instead.")
def list_(*, controls: bool, faults: bool) -> None:
    """Show the scenarios, and with --controls the planted bugs."""
    from scenarios.commands import listing  # noqa: PLC0415

    if faults:
        listing.show_faults()
    else:
        listing.show(controls=controls)


@wavetank.command()
@click.argument("scenario")
@seed_option
@runs_option
@click.option("--plan", metavar="RUN", help="Faults, not the seed's: a run folder or its plan.py.")
@click.option("--no-report", is_flag=True, help="Judge only; write no run folder.")
@stage_option
@servers_options
def run(scenario: str, seed: int, plan: str | None, runs: str, stage: str, **more: Any) -> None:
    """Run SCENARIO with one seed and write its report.

    The faults are those that the seed draws, or with --plan those of another run, or of its
    plan.py as somebody has changed it.
    """
    report = not more.pop("no_report")
    if stage == "real":
        from scenarios.commands import real  # noqa: PLC0415

        sys.exit(real.run(scenario, seed, plan, runs, real.Wish(**more), report=report))
    refuse(more, "--stage real")
    _with_fixed_hashes()
    from scenarios.commands import running  # noqa: PLC0415

    sys.exit(running.run(scenario, seed, plan, runs, report=report))


@wavetank.command()
@click.argument("scenario")
@click.option("--seeds", type=click.IntRange(1), help="How many seeds (default 1000, real: 10).")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="How long instead.")
@click.option("--kills", type=click.IntRange(1), help="Real: until so many programs were killed.")
@click.option("--first", type=click.IntRange(0), default=1, show_default=True, help="First seed.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Workers (default: all cores).")
@runs_option
@stage_option
@servers_options
def hunt(scenario: str, first: int, jobs: int | None, runs: str, stage: str, **more: Any) -> None:
    """Run SCENARIO with many seeds, until enough, until time is up, or Ctrl-C.

    On the real stage seeds are played one after the other, on servers that are kept for all.
    """
    bounds = {name: more.pop(name) for name in ("seeds", "minutes", "kills")}
    if len([bound for bound in bounds.values() if bound]) > 1:
        raise click.UsageError("--seeds, --minutes and --kills exclude each other: give one")
    if stage == "real":
        from scenarios.commands import hunting_real, real  # noqa: PLC0415

        if jobs:
            raise click.UsageError("--jobs is about simulated worlds; real seeds are played singly")
        bound = hunting_real.Bound(first=first, **bounds)
        sys.exit(hunting_real.hunt(scenario, bound, runs, real.Wish(**more)))
    refuse({"kills": bounds["kills"], **more}, "--stage real")
    _with_fixed_hashes()
    from scenarios.commands import hunting  # noqa: PLC0415

    sys.exit(
        hunting.hunt(
            scenario, bounds["seeds"], bounds["minutes"], first, jobs or os.cpu_count() or 1, runs
        )
    )


@wavetank.command()
@click.argument("what", metavar="TOKEN|SEED|RUN")
@click.option("--scenario", help="Which scenario a bare SEED is of (default: the latest run's).")
@click.option("--until", metavar="T", help="Stop at T seconds and show where everything stands.")
@click.option("--force", is_flag=True, help="Replay although versions differ.")
@runs_option
def replay(what: str, scenario: str | None, until: str | None, runs: str, *, force: bool) -> None:
    """Run a token, a seed or a run folder again; exit 4 if it takes another course."""
    _with_fixed_hashes()
    from scenarios.commands import replaying  # noqa: PLC0415

    sys.exit(replaying.replay(what, scenario, until, runs, force=force))


@wavetank.command()
@click.argument("what", metavar="TOKEN|SEED|RUN")
@click.option("--scenario", help="Which scenario a bare SEED is of (default: the latest run's).")
@click.option("--budget", type=click.IntRange(1), default=500, show_default=True, help="Most runs.")
@click.option("--force", is_flag=True, help="Shrink although versions differ.")
@runs_option
def shrink(what: str, scenario: str | None, budget: int, runs: str, *, force: bool) -> None:
    """Find the fewest faults with which a broken run breaks in the same way, and keep that run.

    Faults are left out, many at once and then one by one, for as long as the same invariant breaks
    with the same code. Ctrl-C keeps the fewest found until then.
    """
    _with_fixed_hashes()
    from scenarios.commands import shrinking  # noqa: PLC0415

    sys.exit(shrinking.shrink(what, scenario, budget, runs, force=force))


@wavetank.command()
@click.argument("scenario")
@click.option("--seed", type=click.IntRange(0), help="One seed (default: random ones).")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="How many.")
@click.option(
    "--others",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="How many other runs come before it in its process.",
)
def twin(scenario: str, seed: int | None, seeds: int, others: int) -> None:
    """Run seeds again in other surroundings; exit 4 and the first difference if they differ.

    The twin lives under another hash seed, heap layout, real date, directory, time zone and
    locale, and comes after OTHERS other runs in the same process.
    """
    from scenarios.commands import twins  # noqa: PLC0415

    sys.exit(twins.twin(scenario, seed, seeds, others))


@wavetank.command()
@click.argument("folder", metavar="RUN")
def report(folder: str) -> None:
    """Write the report of the run kept in folder RUN again, and show its summary."""
    from scenarios.commands import running  # noqa: PLC0415

    sys.exit(running.report(folder))


@wavetank.command("trace-money")
@click.argument("folder", metavar="RUN")
@click.option("--user", type=click.IntRange(1), required=True, metavar="U", help="Whose account.")
@click.option("--asset", required=True, metavar="A", help="Which asset: BTC, USDT, ETH.")
def trace_money(folder: str, user: int, asset: str) -> None:
    """List every frame, message and row that moved a user's asset, and where it went astray."""
    from scenarios.commands import tracing  # noqa: PLC0415

    sys.exit(tracing.trace_money(folder, user, asset))


@wavetank.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option(
    "--seeds",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="How many at most until a bug has to be caught.",
)
@click.option(
    "--campaigns",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="How often it is tried, each time with other seeds.",
)
@click.option("--attempts", type=click.IntRange(1), help="Real: runs a bug at most (default 5).")
@click.option("--sound", type=click.IntRange(1), help="Real: seeds a sound story (default 3).")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Workers (default: all cores).")
@runs_option
@stage_option
@servers_options
def controls(
    names: tuple[str, ...], seeds: int, campaigns: int, jobs: int | None, runs: str, **more: Any
) -> None:
    """Plant each known bug and show which invariant catches it, after how many seeds.

    NAME says which bugs (wavetank list --controls); without one it is all of them. Then the sound
    system has to hold on the seeds that were used.

    On the real stage the plans that caught it in a simulated world are played with real processes,
    one after the other, until one catches it there; the sound stories are played as well. Three
    servers of each kind unless --nodes says otherwise. The table is written to RUNS/controls-real;
    what was interrupted goes on where it stopped.
    """
    attempts, sound = more.pop("attempts"), more.pop("sound")
    if more.pop("stage") == "real":
        from scenarios.commands import planted_real, real  # noqa: PLC0415

        wish = real.Wish(**{**more, "nodes": more["nodes"] or 3})
        asked = planted_real.Asked(
            seeds=seeds, attempts=attempts or 5, sound=sound or 3, jobs=jobs or os.cpu_count() or 1
        )
        sys.exit(planted_real.table(asked, names, runs, wish))
    refuse({"attempts": attempts, "sound": sound, **more}, "--stage real")
    _with_fixed_hashes()
    from scenarios.commands import planted  # noqa: PLC0415

    sys.exit(planted.table(seeds, campaigns, names, jobs or os.cpu_count() or 1))


@wavetank.command()
@runs_option
@click.option("--real", is_flag=True, help="On real servers, with real processes.")
@servers_options
def demo(runs: str, *, real: bool, **wish: Any) -> None:
    """Make three runs: nine deposits, the send that lost them all, and a torn log."""
    if real:
        from scenarios.commands import real as on_servers  # noqa: PLC0415

        sys.exit(on_servers.demo(runs, on_servers.Wish(**wish)))
    refuse(wish, "--real")
    _with_fixed_hashes()
    from scenarios.commands import running  # noqa: PLC0415

    sys.exit(running.demo(runs))


for command in (reconcile, load, backends):
    wavetank.add_command(command)


def _with_fixed_hashes() -> None:
    """Start again under a fixed hash seed, once: runs must not depend on it, but may not help."""
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "scenarios", *sys.argv[1:]])


def main(start: Callable[..., Any] = wavetank) -> None:
    """Run the command line."""
    lean.spare()
    start(prog_name="wavetank")
