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

from scenarios.cli_backends import backends, folder_option

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


_seed = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="The seed."
)
_runs = click.option(
    "--runs",
    type=click.Path(file_okay=False),
    default="runs",
    show_default=True,
    help="Where run folders are kept.",
)


_stage = click.option(
    "--stage",
    type=click.Choice(("simulated", "real")),
    default="simulated",
    show_default=True,
    help="In a simulated world, or with real processes and servers.",
)
_port = click.IntRange(1, 65535)
_WISHED = frozenset(
    (
        *("kind", "nodes", "bootstrap", "contact_points", "cql_port", "config", "destroy"),
        "folder",
    )
)


def _servers(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which servers a real run has."""
    options = (
        click.option("--kind", help="Kind of servers, as in `wavetank backends`."),
        click.option(
            "--nodes",
            type=click.Choice(("1", "3")),
            callback=lambda _, __, value: int(value) if value else None,
            help="How many of each.",
        ),
        click.option("--bootstrap", metavar="HOST:PORT,...", help="Brokers that others run."),
        click.option("--contact-points", metavar="HOST,...", help="Nodes that others run."),
        click.option("--cql-port", type=_port, help="Of those nodes (default: 9042)."),
        click.option(
            "--config", metavar="FILE", help="Those servers as a program's file has them."
        ),
        click.option(
            "--destroy",
            multiple=True,
            metavar="NAME",
            help="A topic or keyspace that a run may delete on servers which are not ours.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return folder_option(command)


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
@_seed
@_runs
@click.option("--no-report", is_flag=True, help="Judge only; write no run folder.")
@_stage
@_servers
def run(scenario: str, seed: int, runs: str, stage: str, *, no_report: bool, **wish: Any) -> None:
    """Run SCENARIO with one seed and write its report."""
    if stage == "real":
        from scenarios.commands import real  # noqa: PLC0415

        sys.exit(real.run(scenario, seed, runs, real.Wish(**wish), report=not no_report))
    _refuse(wish, "--stage real")
    _with_fixed_hashes()
    from scenarios.commands import running  # noqa: PLC0415

    sys.exit(running.run(scenario, seed, runs, report=not no_report))


@wavetank.command()
@click.argument("scenario")
@click.option("--seeds", type=click.IntRange(1), help="How many seeds (default 1000, real: 10).")
@click.option("--minutes", type=click.FloatRange(0, min_open=True), help="How long instead.")
@click.option("--kills", type=click.IntRange(1), help="Real: until so many programs were killed.")
@click.option("--first", type=click.IntRange(0), default=1, show_default=True, help="First seed.")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Workers (default: all cores).")
@_runs
@_stage
@_servers
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
    _refuse({"kills": bounds["kills"], **more}, "--stage real")
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
@_runs
def replay(what: str, scenario: str | None, until: str | None, runs: str, *, force: bool) -> None:
    """Run a token, a seed or a run folder again; exit 4 if it takes another course."""
    _with_fixed_hashes()
    from scenarios.commands import replaying  # noqa: PLC0415

    sys.exit(replaying.replay(what, scenario, until, runs, force=force))


@wavetank.command()
@click.argument("scenario")
@click.option("--seed", type=click.IntRange(0), help="One seed (default: random ones).")
@click.option("--seeds", type=click.IntRange(1), default=5, show_default=True, help="How many.")
@click.option("--others", type=click.IntRange(0), default=50, show_default=True)
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
@click.option("--seeds", type=click.IntRange(1), default=200, show_default=True)
@click.option("--campaigns", type=click.IntRange(1), default=10, show_default=True)
@click.option("--attempts", type=click.IntRange(1), help="Real: runs of each at most (default 5).")
@click.option("--only", multiple=True, metavar="NAME", help="Only these controls (real: stories).")
@click.option("--jobs", "-j", type=click.IntRange(1, 256), help="Workers (default: all cores).")
@_runs
@_stage
@_servers
def controls(
    seeds: int, campaigns: int, only: tuple[str, ...], jobs: int | None, runs: str, **more: Any
) -> None:
    """Plant each known bug and show which invariant catches it, after how many seeds.

    On the real stage the plans that caught it in a simulated world are played with real processes,
    one after the other, until one catches it there; the sound stories are played as well. Three
    servers of each kind unless --nodes says otherwise.
    """
    attempts = more.pop("attempts")
    if more.pop("stage") == "real":
        from scenarios.commands import planted_real, real  # noqa: PLC0415

        wish = real.Wish(**{**more, "nodes": more["nodes"] or 3})
        asked = planted_real.Asked(
            seeds=seeds, attempts=attempts or 5, jobs=jobs or os.cpu_count() or 1
        )
        sys.exit(planted_real.table(asked, only, runs, wish))
    _refuse({"attempts": attempts, **more}, "--stage real")
    _with_fixed_hashes()
    from scenarios.commands import planted  # noqa: PLC0415

    sys.exit(planted.table(seeds, campaigns, only, jobs or os.cpu_count() or 1))


@wavetank.command()
@click.option("--config", "config_path", metavar="FILE", help="TOML; options come on top of it.")
@click.option("--bootstrap", metavar="HOST:PORT,...", help="The brokers.")
@click.option("--contact-points", metavar="HOST,...", help="Nodes of the database.")
@click.option("--wal", multiple=True, metavar="DIR", help="UBSCore's data directory, each shard's.")
@click.option("--no-log", is_flag=True, help="Reconcile without the logs; they are elsewhere.")
@click.option("--group", help="Whose committed offsets are the cut (default settlement).")
@click.option("--cql-port", type=click.IntRange(1, 65535), help="Of all nodes (default 9042).")
@click.option("--keyspace", help="Where the tables are (default wavetank).")
@click.option("--datacenter", help="The nodes' (default datacenter1).")
@click.option("--consistency", help="Of all reads (default LOCAL_QUORUM).")
@click.option("--cql-user", help="A role that may SELECT; password in $WAVETANK_CQL_PASSWORD.")
@click.option("--cql-ca", metavar="FILE", help="TLS to the database, checked against this CA.")
@click.option("--kafka-security", help="PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.")
@click.option("--kafka-mechanism", help="Of SASL (default SCRAM-SHA-512).")
@click.option("--kafka-user", help="Of SASL; password in $WAVETANK_KAFKA_SASL_PASSWORD.")
@click.option("--kafka-ca", metavar="FILE", help="The CA of the brokers' certificates.")
@click.option("--max-age", type=float, metavar="S", help="Older things are stuck (default 60).")
@click.option("--rate", type=int, help="Rows of the database a second (default 20000).")
@click.option("--topic-rate", type=int, help="Records of Kafka a second (default 200000).")
@click.option("--breaks", type=int, help="How many breaks are listed (default 1000).")
@click.option("--accounts", type=int, help="Accounts kept in memory (default 1000000).")
@click.option("--waivers", metavar="FILE", help="TOML: breaks somebody has answered for.")
@click.option("--json", metavar="FILE", help="Write JSON; - for standard output.")
@click.option("--csv", metavar="DIR", help="Write tables.")
@click.option("--html", metavar="FILE", help="Write a page.")
def reconcile(
    config_path: str | None,
    waivers: str | None,
    json: str | None,
    csv: str | None,
    html: str | None,
    *,
    no_log: bool,
    **options: Any,
) -> None:
    """Reconcile a deployment that runs, while it runs, without disturbing it.

    Reads topics, logs and tables up to a cut that it finds itself: no group is joined, no offset
    is committed, every statement is a SELECT. Exit code 0: reconciled; 1: breaks; 2: usage;
    3: something could not be read, or there is nothing; 75: nobody answers.
    """
    from scenarios.commands import reconciling  # noqa: PLC0415

    points = options["contact_points"]
    named = {
        ("kafka", "bootstrap"): options["bootstrap"],
        ("kafka", "group"): options["group"],
        ("kafka", "security_protocol"): options["kafka_security"],
        ("kafka", "sasl_mechanism"): options["kafka_mechanism"],
        ("kafka", "sasl_username"): options["kafka_user"],
        ("kafka", "ssl_ca"): options["kafka_ca"],
        ("cql", "contact_points"): points.split(",") if points else None,
        ("cql", "port"): options["cql_port"],
        ("cql", "keyspace"): options["keyspace"],
        ("cql", "datacenter"): options["datacenter"],
        ("cql", "consistency"): options["consistency"],
        ("cql", "username"): options["cql_user"],
        ("cql", "ssl_ca"): options["cql_ca"],
        ("log", "directories"): list(options["wal"]) or None,
        ("limits", "max_age_s"): options["max_age"],
        ("limits", "rate"): options["rate"],
        ("limits", "topic_rate"): options["topic_rate"],
        ("limits", "breaks"): options["breaks"],
        ("limits", "accounts"): options["accounts"],
    }
    wanted = reconciling.Wanted(json=json, csv=csv, html=html)
    sys.exit(reconciling.run(config_path, named, waivers, wanted, no_log=no_log))


@wavetank.command()
@click.argument("scenario", required=False)
@click.option("--through", type=click.Choice(("http", "topic")), default="http", show_default=True)
@click.option("--rate", type=float, default=200, show_default=True, help="Requests a second.")
@click.option("--fixed", is_flag=True, help="Fixed spacing instead of Poisson's.")
@click.option("--duration", type=float, metavar="S", default=20, show_default=True)
@click.option("--warm-up", type=float, metavar="S", default=5, show_default=True)
@click.option("--search", is_flag=True, help="Find the highest rate that holds --p99, from --rate.")
@click.option("--p99", metavar="TIME", help="With --search: the bound, such as 200ms.")
@click.option("--trial", type=float, metavar="S", default=8, show_default=True)
@click.option("--users", type=click.IntRange(1, 10**7), default=1000, show_default=True)
@click.option("--connections", type=click.IntRange(1, 4096), default=64, show_default=True)
@click.option("--gateways", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--shards", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--settlements", type=click.IntRange(1, 64), default=1, show_default=True)
@click.option("--partitions", type=click.IntRange(1, 64), default=4, show_default=True)
@click.option("--plan", metavar="RUN", help="Faults: a run folder or its plan.py.")
@click.option("--fault", multiple=True, metavar="FAULT", help="Such as \"Crash('ubscore-1')\".")
@click.option("--at", type=float, multiple=True, metavar="S", help="When each --fault comes.")
@click.option("--lasts", type=float, multiple=True, metavar="S", help="How long (default 1).")
@click.option("--baseline", is_flag=True, help="Also measure a bare client's inserts.")
@click.option("--no-report", is_flag=True, help="Judge only; write no folder.")
@_seed
@_runs
@_servers
def load(
    scenario: str | None,
    runs: str,
    plan: str | None,
    fault: tuple[str, ...],
    at: tuple[float, ...],
    lasts: tuple[float, ...],
    *,
    no_report: bool,
    **options: Any,
) -> None:
    """Put a load on real processes, measure it, and reconcile the ledger at the end.

    Requests are sent at times that are fixed beforehand, whatever becomes of earlier ones, and
    latencies count from those times. With a SCENARIO its programs and faults are taken. Figures
    count only if not a unit is missing. Exit code 0: held; 1: broken; 3: unknown; 75: a server
    died; 130: interrupted, with the report of what was measured until then.
    """
    from scenarios.commands import loading, real  # noqa: PLC0415

    wish = {name: options.pop(name) for name in tuple(options) if name in _WISHED}
    harm = loading.Harm(plan=plan, faults=fault, at_s=at, lasts_s=lasts)
    settings = loading.settings(**options)
    sys.exit(loading.run(scenario, settings, harm, real.Wish(**wish), runs, report=not no_report))


@wavetank.command()
@_runs
@click.option("--real", is_flag=True, help="On real servers, with real processes.")
@_servers
def demo(runs: str, *, real: bool, **wish: Any) -> None:
    """Make three runs: nine deposits, the send that lost them all, and a torn log."""
    if real:
        from scenarios.commands import real as on_servers  # noqa: PLC0415

        sys.exit(on_servers.demo(runs, on_servers.Wish(**wish)))
    _refuse(wish, "--real")
    _with_fixed_hashes()
    from scenarios.commands import running  # noqa: PLC0415

    sys.exit(running.demo(runs))


wavetank.add_command(backends)


def _refuse(wish: dict[str, Any], needed: str) -> None:
    """Refuse options about servers where there are none."""
    for name, value in wish.items():
        if value and name != "folder":
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} is about real servers: say {needed}, too")


def _with_fixed_hashes() -> None:
    """Start again under a fixed hash seed, once: runs must not depend on it, but may not help."""
    if os.environ.get("PYTHONHASHSEED") != HASH_SEED:
        os.environ["PYTHONHASHSEED"] = HASH_SEED
        os.execv(sys.executable, [sys.executable, "-m", "scenarios", *sys.argv[1:]])


def main(start: Callable[..., Any] = wavetank) -> None:
    """Run the command line."""
    start(prog_name="wavetank")
