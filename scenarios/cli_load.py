"""The part of the command line that puts a load on real processes: ``wavetank load``."""

import sys
from collections.abc import Callable
from typing import Any

import click

from scenarios.cli_options import runs_option, seed_option, servers_options

_WISHED = frozenset(
    (
        *("kind", "nodes", "bootstrap", "contact_points", "cql_port", "config", "destroy"),
        "folder",
    )
)


def _instances(name: str, words: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    return click.option(
        f"--{name}", type=click.IntRange(1, 64), default=1, show_default=True, help=words
    )


@click.command()
@click.argument("scenario", required=False)
@click.option(
    "--through",
    type=click.Choice(("http", "topic")),
    default="http",
    show_default=True,
    help="To gateways, or straight to the operations topic.",
)
@click.option("--rate", type=float, default=200, show_default=True, help="Requests a second.")
@click.option("--fixed", is_flag=True, help="Fixed spacing instead of Poisson's.")
@click.option(
    "--duration", type=float, metavar="S", default=20, show_default=True, help="Measured."
)
@click.option(
    "--warm-up", type=float, metavar="S", default=5, show_default=True, help="Before that."
)
@click.option("--search", is_flag=True, help="Find the highest rate that holds --p99, from --rate.")
@click.option("--p99", metavar="TIME", help="With --search: the bound, such as 200ms.")
@click.option("--trial", type=float, metavar="S", help="With --search: each rate (default 8).")
@click.option(
    "--users", type=click.IntRange(1, 10**7), default=1000, show_default=True, help="Accounts."
)
@click.option("--connections", type=click.IntRange(1, 4096), help="Of HTTP (default 64).")
@_instances("gateways", "How many gateways.")
@_instances("shards", "How many shards of UBSCore.")
@_instances("settlements", "How many instances of Settlement.")
@click.option("--engines", type=click.IntRange(0, 64), help="With any, orders are sent as well.")
@click.option(
    "--partitions", type=click.IntRange(1, 64), default=4, show_default=True, help="Of each topic."
)
@click.option("--set", "told", multiple=True, metavar="SECTION.KEY=VALUE", help="Told to programs.")
@click.option("--plan", metavar="RUN", help="Faults: a run folder or its plan.py.")
@click.option("--fault", multiple=True, metavar="FAULT", help="Such as \"Crash('ubscore-1')\".")
@click.option("--at", type=float, multiple=True, metavar="S", help="When each --fault comes.")
@click.option("--lasts", type=float, multiple=True, metavar="S", help="How long (default 1).")
@click.option("--baseline", is_flag=True, help="Also measure a bare client's inserts.")
@click.option("--no-report", is_flag=True, help="Judge only; write no folder.")
@seed_option
@runs_option
@servers_options
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
    died; 130: interrupted, both with the report of what was measured until then.

    \b
    wavetank load --rate 500 --duration 30
    wavetank load --search --p99 200ms
    wavetank load --fault "Crash('ubscore-1')" --at 10
    """
    from scenarios.commands import loading, real  # noqa: PLC0415

    wish = {name: options.pop(name) for name in tuple(options) if name in _WISHED}
    harm = loading.Harm(plan=plan, faults=fault, at_s=at, lasts_s=lasts)
    settings = loading.settings(**options)
    sys.exit(loading.run(scenario, settings, harm, real.Wish(**wish), runs, report=not no_report))
