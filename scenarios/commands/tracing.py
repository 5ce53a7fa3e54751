"""``wavetank trace-money``: the life of the money of one account in a run that was kept."""

from pathlib import Path

import click

from reports import folder as folders
from reports import trace_money as tracing
from reports.folder import FolderError
from reports.judge import judge
from scenarios.commands.running import code
from scenarios.errors import UsageError
from system.assets import BY_NAME


def trace_money(where: str, user: int, asset: str) -> int:
    """Show what moved an account; return the exit code of the run's verdict."""
    found = BY_NAME.get(asset)
    if found is None:
        raise UsageError(f"--asset {asset[:64]!r} is none of {', '.join(BY_NAME)}")
    if not where or not Path(where).is_dir():
        raise UsageError(f"{where!r} is no folder; wavetank run prints where it keeps a run")
    try:
        evidence = folders.load(where)
    except FolderError as error:
        raise UsageError(str(error)) from None
    judgement = judge(evidence)
    click.echo(tracing.page(judgement, (user, found.id)))
    return code(judgement.verdict)
