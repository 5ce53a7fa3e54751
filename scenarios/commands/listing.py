"""``wavetank list``: the stories and the planted bugs."""

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
