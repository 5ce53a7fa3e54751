"""``wavetank reconcile``: a running deployment, reconciled as of a cut, for people and for cron."""

import os
import sqlite3
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import msgspec

from reports.live.measures import Measures
from reports.live.outcome import Outcome
from reports.live.reconciling import reconcile
from reports.live.sources import Bounds
from reports.live.waivers import Waiver, Waivers
from reports.pages import live
from scenarios.commands.running import code
from scenarios.errors import Infrastructure, UsageError
from scenarios.reconciling import settings
from scenarios.reconciling.deployment import Deployment
from scenarios.reconciling.settings import Settings
from system import config
from system.errors import ConfigError


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Where the report goes besides standard output."""

    json: str | None = None
    csv: str | None = None
    html: str | None = None
    prom: str | None = None


def run(
    config_path: str | None,
    options: Mapping[tuple[str, str], Any],
    waivers_path: str | None,
    wanted: Wanted,
    *,
    no_log: bool,
) -> int:
    """Reconcile once, show and write what was found; return the exit code."""
    chosen = settings.load(config_path, options, os.environ)
    waivers = _waivers(waivers_path)
    _log_or_not(chosen, no_log=no_log)
    outcome = _reconcile(chosen, waivers)
    name = chosen.kafka.bootstrap
    if wanted.json == "-":
        click.echo(live.as_json(outcome, name), nl=False)
    else:
        click.echo(live.summary(outcome, name), nl=False)
    _write(outcome, name, wanted)
    return code(outcome.verdict)


def _log_or_not(chosen: Settings, *, no_log: bool) -> None:
    if no_log and chosen.log.directories:
        raise UsageError("--no-log and --wal exclude each other: give one of them")
    if not no_log and not chosen.log.directories:
        raise UsageError(
            "no log is given: add --wal DIR for each shard's data directory, or --no-log to"
            " reconcile without what lies between the two topics"
        )


def _reconcile(chosen: Settings, waivers: tuple[Waiver, ...]) -> Outcome:
    limits = chosen.limits
    bounds = Bounds(
        max_age_ms=round(limits.max_age_s * 1000),
        breaks_max=limits.breaks,
        accounts_max=limits.accounts,
    )
    try:
        with Deployment(chosen) as deployment:
            return reconcile(deployment, bounds, waivers)
    except sqlite3.Error as error:
        raise Infrastructure(
            f"the temporary file for accounts in {tempfile.gettempdir()}: {error};"
            " make room there, set TMPDIR, or allow more --accounts in memory"
        ) from None


def _waivers(path: str | None) -> tuple[Waiver, ...]:
    if path is None:
        return ()
    try:
        return config.load(Waivers, path, {}).waiver
    except ConfigError as error:
        raise UsageError(f"waivers {error.message}") from None


def _write(outcome: Outcome, name: str, wanted: Wanted) -> None:
    files: dict[Path, bytes] = {}
    if wanted.json not in (None, "-"):
        files[Path(str(wanted.json))] = live.as_json(outcome, name)
    if wanted.html is not None:
        files[Path(wanted.html)] = live.page(outcome, name).encode()
    if wanted.csv is not None:
        tables = live.csv_files(outcome)
        files.update({Path(wanted.csv, table): data for table, data in tables.items()})
    if wanted.prom is not None:
        files[Path(wanted.prom)] = Measures(outcome).text()
    for path, data in files.items():
        _put(path, data)


def _put(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: a page that is being read stays what it was."""
    fresh = path.with_name(f".{path.name}.new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(data)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise Infrastructure(
            f"{path} cannot be written: {error.strerror}; the verdict above is complete"
        ) from None
