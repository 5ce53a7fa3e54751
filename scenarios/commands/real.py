"""``wavetank run --stage real``: a run with real processes and servers, judged, kept and shown."""

import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from scenarios import catalog
from scenarios.backends import attached, kinds, state
from scenarios.backends.base import Backend
from scenarios.backends.remote import Remote, read
from scenarios.commands import running
from scenarios.commands.live import LIVE, living
from scenarios.errors import UsageError
from scenarios.stages.real import stage
from scenarios.stages.real.site import KEPT, without_secrets
from scenarios.stages.real.stage import RealRun

SERVERS = "servers"
REMOTE = "remote"
FOLDER = Path("runs/backends")
_INTERRUPTED = 130
_DEMO = (
    ("nine_deposits", "nine deposits, nobody does any harm", "held"),
    ("lost_send", "the bug that lost all nine: a send that nobody awaited", "broken"),
    ("torn_append", "UBSCore killed half-way through an append to its log", "held"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Which servers a run is to have, and what it may delete on them."""

    kind: str | None = None
    nodes: int | None = None
    bootstrap: str | None = None
    contact_points: str | None = None
    cql_port: int | None = None
    config: str | None = None
    folder: Path = FOLDER
    destroy: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.of_others and (self.kind not in {None, REMOTE} or self.nodes):
            raise UsageError(
                "--kind and --nodes are about servers of ours; --bootstrap, --contact-points,"
                " --cql-port and --config name others"
            )
        if self.kind == REMOTE and not self.of_others:
            raise UsageError("--kind remote needs --bootstrap and --contact-points, or --config")

    @property
    def of_others(self) -> bool:
        """Whether servers of others are named."""
        return bool(self.bootstrap or self.contact_points or self.cql_port or self.config)

    def remote(self) -> Remote:
        """Return the servers named."""
        given = {
            ("kafka", "bootstrap"): self.bootstrap,
            ("scylla", "contact_points"): (
                self.contact_points.split(",") if self.contact_points else None
            ),
            ("scylla", "port"): self.cql_port,
        }
        named = {
            "--config": self.config,
            "--bootstrap": self.bootstrap,
            "--contact-points": self.contact_points,
            "--cql-port": self.cql_port,
        }
        options = " ".join(f"{name} {value}" for name, value in named.items() if value)
        return Remote(read(self.config, given, os.environ), options)


def run(name: str, seed: int, plan: str | None, runs: str, wish: Wish, *, report: bool) -> int:
    """Run once, keep it, show one screen; return the exit code."""
    scenario = catalog.find(name)
    given = running.given(scenario, seed, plan)
    with living(Path(runs, scenario.name), f"{seed}-real") as live:
        with servers(wish, live / SERVERS) as backend:
            made = stage.run(
                scenario, seed, backend, live, plan=given, destroy=wish.destroy, say=say
            )
        running.show(made.judgement, lambda: keep(made, runs, live) if report else "")
    return _INTERRUPTED if made.interrupted else running.code(made.judgement.verdict)


def demo(runs: str, wish: Wish) -> int:
    """Make the three runs of the demonstration on one back end; 0 if each ended as it must."""
    rows, right = [], True
    with living(Path(runs), "demo-real") as home, servers(wish, home) as backend:
        for name, story, expected in _DEMO:
            click.secho(f"\n── {name}: {story}", bold=True)
            verdict, page = _demonstrate(name, runs, backend)
            rows.append((name, verdict, page))
            right = right and verdict == expected
    click.secho("── three verdicts", bold=True)
    for name, verdict, page in rows:
        click.echo(f"  {name:<16}{verdict:<10}{page}")
    return 0 if right else 1


def _demonstrate(name: str, runs: str, backend: Backend) -> tuple[str, str]:
    with living(Path(runs, name), "1-real") as live:
        made = stage.run(catalog.find(name), 1, backend, live, say=say)
        folder = running.show(made.judgement, partial(keep, made, runs, live))
    if made.interrupted:
        raise KeyboardInterrupt
    return made.judgement.verdict, str(Path(folder, "report.html"))


@contextmanager
def servers(wish: Wish, folder: Path) -> Generator[Backend]:
    """Use the servers named, or those that are up, or start some in `folder` and stop them."""
    backend = _standing(wish)
    if backend is not None:
        with backend:
            yield backend
        return
    count = wish.nodes or 1
    started = kinds.make(wish.kind or kinds.DEFAULT, folder, count, count)
    started.say = say
    with state.owning(started.folder):
        try:
            with started:
                yield started
        except BaseException:
            started.kill()
            raise


def _standing(wish: Wish) -> Backend | None:
    """Return servers that run already, if they are what is wished for."""
    if wish.of_others:
        return wish.remote()
    found = attached.find(wish.folder)
    fits = (
        found is not None
        and wish.kind in {None, found.kind}
        and wish.nodes in {None, len(found.nodes)}
    )
    return found if fits else None


def keep(made: RealRun, runs: str, live: Path) -> str:
    """Write the run folder, with what the programs wrote beside the evidence; return its path."""
    path = Path(runs, made.scenario.name, f"{running.name_of(made.seed, made.given)}-real")
    extra = written(live)
    extra[f"{LIVE}/notes.log"] = "".join(f"{note}\n" for note in made.notes).encode()
    running.keep_folder(path, made.judgement, made.asked, extra, runs)
    return str(path)


def written(live: Path, without: str = "") -> dict[str, bytes]:
    """Return what programs wrote, by its name in a run folder; folders `without` are left out."""
    left_out = {SERVERS, KEPT, without}
    return {
        f"{LIVE}/{file.relative_to(live)}": _kept(file)
        for file in sorted(live.rglob("*"))
        if file.is_file() and not left_out & set(file.relative_to(live).parts)
    }


def _kept(file: Path) -> bytes:
    content = file.read_bytes()
    return without_secrets(content) if file.suffix == ".toml" else content


def say(line: str) -> None:
    """Tell a person how it goes."""
    click.echo(f"wavetank: {line}", err=True)
