"""``wavetank backends``: servers for the real stage, or for anybody's client, up and down."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from scenarios.backends import kinds, layout, state
from scenarios.backends.layout import Ports
from scenarios.backends.state import State
from scenarios.backends.supervisor import RESTART, Supervisor
from scenarios.errors import Infrastructure, UsageError

LOG = "supervisor.log"
_STOP_S = 120.0
_POLL_S = 0.1
_TABLE = re.compile("^back end ", re.MULTILINE)  # how what an owner shows when it is up begins


def up(kind: str | None, count: int | None, folder: Path, ports: Ports, *, detach: bool) -> int:
    """Start a back end and stay until told to stop; with `detach` return when it serves."""
    found = layout.find(folder)
    kind = kind or (found.kind if found else kinds.DEFAULT)
    count = count or (len(found.brokers) if found else 1)
    backend = kinds.make(kind, folder, count, count, ports)
    if state.owned(folder):
        return _start_again(folder)
    if detach:
        return _detached(folder)
    Supervisor(backend, _say).run(_show)
    return 0


def down(folder: Path, *, wipe: bool) -> int:
    """Stop what is up in the folder, or what a crash left there; with `wipe` delete its data."""
    found = layout.find(folder)
    if found is None:
        if wipe and folder.exists():
            raise UsageError(f"{folder} holds no data of a back end; nothing is deleted")
        click.echo(f"nothing is up in {folder}")
        return 0
    if state.owned(folder):
        _stop(folder)
        click.echo(f"stopped {found.described()}")
    else:
        _sweep(folder, found)
    if wipe:
        _wipe(folder, found)
    return 0


def status(folder: Path, *, as_json: bool) -> int:
    """Show what is up in the folder; 75 unless all of it serves."""
    seen = state.read(folder) if state.owned(folder) else None
    if seen is None:
        click.echo("null" if as_json else f"nothing is up in {folder}")
        return Infrastructure.code
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode(seen)))
    else:
        _show(seen)
    whole = seen.phase == "up" and all(server.pid for server in seen.servers)
    return 0 if whole else Infrastructure.code


def remote_status(config: str | None, given: Mapping[tuple[str, str], Any]) -> int:
    """Show whether servers that others run answer; 75 unless they do."""
    from scenarios.backends import remote  # noqa: PLC0415 - loads both clients

    backend = remote.Remote(remote.read(config, given, os.environ))
    backend.up()
    versions = ", ".join(f"{name} {version}" for name, version in backend.versions.items())
    click.echo(f"servers of others ({versions}): they answer")
    for server in backend.servers:
        click.echo(f"  {server.name:<10}{server.address}")
    return 0


def logs(folder: Path, names: tuple[str, ...], lines: int, *, follow: bool) -> int:
    """Show the last lines of the servers' logs; with `follow` go on until Ctrl-C."""
    found = layout.find(folder)
    if found is None:
        raise UsageError(f"{folder} holds no back end; start one: wavetank backends up")
    backend = kinds.kept(folder, found)
    chosen = [backend.server(name).name for name in names or (*found.brokers, *found.nodes)]
    command = backend.show_logs(chosen, lines, follow=follow)
    return subprocess.run(command, check=False).returncode


def _say(text: str) -> None:
    click.echo(f"wavetank: {text}", err=True)


def _show(seen: State) -> None:
    """Print what a person needs to connect."""
    versions = ", ".join(f"{name} {version}" for name, version in seen.versions.items())
    click.echo(f"back end {seen.kind} ({versions}): {seen.phase}, owner {seen.owner.pid}")
    for server in seen.servers:
        away = "starting" if seen.phase == "starting" else "ended"
        life = f"process {server.pid}" if server.pid else away
        click.echo(f"  {server.name:<10}{server.advertised!s:<18}{life}")
    click.echo(f"  bootstrap.servers {seen.bootstrap}")
    click.echo(f"  contact points {','.join(seen.contact_points)} port {seen.cql_port}")


def _start_again(folder: Path) -> int:
    """Have the owner start what has ended, and wait for it."""
    seen = state.read(folder)
    if seen is None:
        raise Infrastructure(f"the back end in {folder} is just stopping; try again in a moment")
    if not all(server.pid for server in seen.servers):
        os.kill(seen.owner.pid, RESTART)
    _wait_until_up(folder, seen.owner.pid)
    return 0


def _wait_until_up(folder: Path, owner: int) -> None:
    while state.owned(folder):
        seen = state.read(folder)
        if seen and seen.phase == "up" and all(server.pid for server in seen.servers):
            _show(seen)
            return
        time.sleep(_POLL_S)
    raise Infrastructure(f"process {owner}, which owned {folder}, has ended; see {folder / LOG}")


def _detached(folder: Path) -> int:
    """Start this command again as a process that stays, and wait until it serves."""
    folder.mkdir(parents=True, exist_ok=True)
    arguments = [argument for argument in sys.argv[1:] if argument != "--detach"]
    with (folder / LOG).open("wb") as log:
        owner = subprocess.Popen(
            [sys.executable, "-m", "scenarios", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        return _follow_start(folder, owner)
    except KeyboardInterrupt:
        owner.send_signal(signal.SIGTERM)
        owner.wait()
        raise


def _follow_start(folder: Path, owner: subprocess.Popen[bytes]) -> int:
    """Repeat what a new owner says until its servers serve, or it has ended."""
    with (folder / LOG).open(encoding="utf-8", errors="replace") as log:
        while owner.poll() is None:
            seen = state.read(folder)
            if seen and seen.owner.pid == owner.pid and seen.phase == "up":
                _show(seen)
                return 0
            click.echo(_TABLE.split(log.read())[0], err=True, nl=False)
            time.sleep(_POLL_S)
        click.echo(log.read(), err=True, nl=False)
    return owner.returncode


def _stop(folder: Path) -> None:
    seen = state.read(folder)
    if seen is None:
        raise Infrastructure(f"the back end in {folder} is just starting; try again in a moment")
    if not seen.owner.end(signal.SIGTERM, _STOP_S):
        seen.owner.kill()


def _sweep(folder: Path, found: layout.Layout) -> None:
    left = kinds.kept(folder, found).sweep()
    (folder / state.FILE).unlink(missing_ok=True)
    what = f"killed what a crash had left: {', '.join(left)}" if left else "nothing is up"
    click.echo(f"{what} in {folder}")


def _wipe(folder: Path, found: layout.Layout) -> None:
    """Delete what we made in the folder, and the folder if nothing else is in it."""
    kinds.kept(folder, found).wipe()
    for name in (layout.FILE, state.FILE, state.LOCK, state.USER_LOCK, LOG):
        (folder / name).unlink(missing_ok=True)
    if not any(folder.iterdir()):
        folder.rmdir()
    click.echo(f"deleted the data in {folder}")
