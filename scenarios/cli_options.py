"""The options that several commands share: seed, folders, stage, and which servers a run has."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

port = click.IntRange(1, 65535)
folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="runs/backends",
    show_default=True,
    help="Where servers that stay up are kept: data, addresses, logs.",
)
seed_option = click.option(
    "--seed", type=click.IntRange(0, 2**63 - 1), default=1, show_default=True, help="The seed."
)
runs_option = click.option(
    "--runs",
    type=click.Path(file_okay=False),
    default="runs",
    show_default=True,
    help="Where run folders are kept.",
)
stage_option = click.option(
    "--stage",
    type=click.Choice(("simulated", "real")),
    default="simulated",
    show_default=True,
    help="In a simulated world, or with real processes and servers.",
)


def servers_options(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which servers a real run has."""
    options = (
        click.option(
            "--kind",
            metavar="[embedded|jvm|compose]",
            help="Real: which servers, as in `wavetank backends` (default: those that are up, else"
            " embedded).",
        ),
        click.option(
            "--nodes",
            type=click.Choice(("1", "3")),
            callback=lambda _, __, value: int(value) if value else None,
            help="Real: how many of each (default: those that are up, else 1).",
        ),
        click.option("--bootstrap", metavar="HOST:PORT,...", help="Real: brokers that others run."),
        click.option("--contact-points", metavar="HOST,...", help="Real: nodes that others run."),
        click.option("--cql-port", type=port, help="Of those nodes (default: 9042)."),
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


def refuse(wish: dict[str, Any], needed: str) -> None:
    """Refuse options about servers where there are none."""
    for name, value in wish.items():
        if value and name != "folder":
            option = name.replace("_", "-")
            raise click.UsageError(f"--{option} is about real servers: say {needed}, too")
