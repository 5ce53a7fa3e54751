"""``wavetank list``: the stories, the planted bugs, and the faults with their counterparts."""

import click

from scenarios import catalog
from scenarios import controls as planted


def show(*, controls: bool) -> None:
    """Print one line for each scenario."""
    names = [name for name in catalog.names() if controls or name not in planted.names()]
    width = max(len(name) for name in names) + 2
    for name in names:
        story = catalog.find(name).story.strip().partition("\n")[0]
        click.echo(f"{name:{width}}{story}")
    if not controls:
        click.echo(f"\nand {len(planted.names())} planted bugs: wavetank list --controls")


def show_faults() -> None:
    """Print what each fault is on the real stage, and what it can be done to."""
    from scenarios.stages.real.counterparts import COUNTERPARTS  # noqa: PLC0415 - loads the stage

    _line("fault", "on the real stage", "with servers of ours", "with those of others")
    for fault, part in COUNTERPARTS.items():
        _line(fault.__name__, part.how, part.reach or "-", part.reach_remote or "-")
    click.echo("\na moment is one of a program, at its doors; links between servers have no proxy")


def _line(fault: str, how: str, reach: str, remote: str) -> None:
    click.echo(f"{fault:<14}{how:<52}{reach:<31}{remote}")
