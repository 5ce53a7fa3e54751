"""A town of real processes: the deployment of one run, on a back end that may serve many runs.

    with RealTown(scenario, backend, folder, seed=7) as town:
        town.prepare()
        town.start_programs()
        town.run_until(town.ready, 60 * SECOND)
        ...

Leaving the block ends every program and proxy; the back end goes on.
"""

import random
import signal
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import Path
from typing import Self

from scenarios.backends.base import Backend
from scenarios.clients import Client
from scenarios.errors import Infrastructure
from scenarios.keys import OPERATOR_KEY
from scenarios.readers import History
from scenarios.scenario import Plan, Scenario
from scenarios.stages import readiness
from scenarios.stages.real import counterparts, preparing
from scenarios.stages.real.clock import Clock
from scenarios.stages.real.connection import Connection
from scenarios.stages.real.counterpart import Setting
from scenarios.stages.real.doors import Doors, doors_for
from scenarios.stages.real.ground import RealGround
from scenarios.stages.real.launching import Launcher
from scenarios.stages.real.offsets import Offsets
from scenarios.stages.real.process import Place, Program
from scenarios.stages.real.proxies.weather import Weather
from scenarios.stages.real.scraping import Scraper
from scenarios.stages.real.servers import Servers
from scenarios.stages.real.site import Site, config_of
from scenarios.stages.real.story import Story, boots
from scenarios.stages.real.topics import Topics
from scenarios.stages.real.ways import Ways
from scenarios.supervisor import Supervisor
from sim.entropy import Streams
from system.records import EVENTS, OUTPUTS

_LOOK_NS = 3_000_000
_STOP_S = 20.0
_INIT_NS = 60 * 10**9
_READY_NS = 90 * 10**9
_SECOND = 10**9


class RealTown:
    """Programs, doors and proxies of one run."""

    def __init__(
        self,
        scenario: Scenario,
        backend: Backend,
        folder: Path,
        *,
        seed: int = 1,
        plan: Plan | None = None,
        destroy: Collection[str] = (),
        followed: bool = True,
    ) -> None:
        self.scenario, self.backend, self.seed = scenario, backend, seed
        self.followed = followed  # whether topics and commits are read along, as evidence
        self.look_ns = _LOOK_NS  # between two looks at everything
        self.setting = Setting.of(scenario.deployment, backend)
        self.deployment = self.setting.deployment
        self.site = Site(folder.resolve())
        self.clock = Clock()
        self.weather = Weather()
        self.servers = Servers(backend)
        self.story = Story(self.clock, lambda: boots(self))
        self.ground = RealGround(self)
        self.places = {name: Place() for name in self.deployment.programs}
        self._streams = Streams(seed)
        self.supervisor = Supervisor(self.clock, self.deployment.restarts)
        self.history = History()
        self.launcher = Launcher(self.site, dict(scenario.programs), self.clock)
        self.notes: list[str] = []
        self.given = plan  # None: the one that the seed draws
        self.asked = scenario.draw(self.stream("plan")) if plan is None else plan
        why = [(step, counterparts.lacking(step, self.setting)) for step in self.asked]
        self.plan: Plan = tuple(step for step, lack in why if not lack)
        self.untested = tuple((step, lack) for step, lack in why if lack)
        self.keyspace = backend.keyspace
        self.group = f"settlement-{random.SystemRandom().randrange(2**32):08x}"
        self.ways = Ways(backend, self.deployment, self.weather)
        self.offsets = Offsets(
            backend, (self.group, "ubscore", "engine"), self.deployment.partitions, self.clock
        )
        self.topics: Topics | None = None
        self.scraper: Scraper | None = None
        self._destroy = destroy

    def __enter__(self) -> Self:
        """Begin; the block is the run."""
        return self

    def __exit__(self, *_: object) -> None:
        """End whatever still runs."""
        for program in self.programs:
            if program.alive:
                program.resume()
                program.on_death.clear()
                program.kill()
        self.offsets.close()
        if self.scraper is not None:
            self.scraper.stop()
        if self.topics is not None:
            self.topics.close()
        self.ways.close()
        for doors in self.doors.values():
            doors.board.close()

    @property
    def programs(self) -> list[Program]:
        """Every incarnation that was started."""
        return self.launcher.programs

    @property
    def doors(self) -> dict[str, Doors]:
        """The doors of the programs that have any."""
        return self.launcher.doors

    # -- what is there -------------------------------------------------------------------------

    def stream(self, name: str) -> random.Random:
        """Return a stream of the seed, the same that a simulated world has under this name."""
        return self._streams.stream(name)

    def living(self, name: str) -> Program | None:
        """Return the living incarnation of a program."""
        watched = self.supervisor.watched.get(name)
        program = watched.process if watched is not None else None
        assert program is None or isinstance(program, Program)
        return program if program is not None and program.alive else None

    def gateway(self, name: str) -> tuple[str, int]:
        """Return where clients find a gateway."""
        address = self.ways.to_gateway(name)
        return address.host, address.port

    def client(self, name: str) -> Client:
        """Return a client outside, whose history is kept."""
        return Client(
            name,
            connection=Connection(self.gateway, self.deployment.gateways_of(name)),
            clock=self.clock,
            stream=self.stream(f"client/{name}"),
            key=OPERATOR_KEY,
            history=self.history,
        )

    def note(self, kind: str, text: str) -> None:
        """Write to the run's own log."""
        self.notes.append(f"{self.clock.now / _SECOND:.6f} {kind} {text}")

    # -- the course of a run -------------------------------------------------------------------

    def prepare(self) -> None:
        """Leave empty topics and tables on the servers, and write all configuration."""
        partitions = self.deployment.partitions
        preparing.prepare(self.backend, self.keyspace, partitions, self._destroy)
        if self.followed:
            self.topics = Topics(self.backend, partitions)
        self.launcher.doors = doors_for(self.plan, self.site, self.deployment)
        proxied = any(counterparts.needs_proxies(step) for step in self.plan)
        self.ways.lay(proxied=proxied, measured=self.followed)
        if self.followed:
            self.scraper = Scraper(self.ways.metrics, self.living, lambda: self.clock.now)
        for role, names in self.deployment.roles:
            for name in names:
                around = self.ways.around(name, self.keyspace, self.group)
                text = config_of(role, name, around, self.deployment, self.site.data(name))
                self.site.write_config(name, text)

    def start_programs(self) -> None:
        """Make the data directories, then start every program under supervision."""
        for name, _ in self.deployment.directories:
            self._init(name)
        for role, names in self.deployment.roles:
            for name in names:
                self.supervisor.run(
                    name, self.places[name], partial(self.launcher.start, name, role)
                )
        if self.followed:
            self.offsets.start()
        if self.scraper is not None:
            self.scraper.start()

    def wait_until_ready(self) -> None:
        """Return when every program has begun to work; `Infrastructure` names those that do not."""
        if not self.run_until(self.ready, _READY_NS):
            words = "\n".join(self._unready())
            raise Infrastructure(f"not ready within {_READY_NS // _SECOND} s:\n{words}")

    def ready(self) -> bool:
        """Whether every program says so itself: in its log, a gateway over HTTP, too."""
        return next(self._unready(), None) is None

    def _unready(self) -> Iterator[str]:
        return readiness.unready(self.deployment, self.living, self._serves)

    def _serves(self, gateway: str) -> bool:
        return readiness.answers(Connection(self.gateway, (gateway,)))

    def run_until(self, done: Callable[[], object], bound_ns: int) -> bool:
        """Let the run go on until `done()`; false if `bound_ns` came first."""
        deadline = self.clock.now + bound_ns
        while True:
            self.tick()
            if done():
                return True
            if self.clock.now >= deadline:
                return False
            self.clock.sleep(self.look_ns)

    def tick(self) -> None:
        """Do what is due now, and notice what has ended."""
        self.ground.tick()
        for program in self.programs:
            program.poll()
        for core in self.deployment.cores:
            if self.followed and core in self.supervisor.watched:
                self.site.keep_log(core)
        self.clock.tick()
        self.story.tick()
        self.servers.check()
        self.ways.check()

    def caught_up(self) -> bool:
        """Whether all is decided, matched, applied and settled, by what Kafka shows."""
        assert self.topics is not None
        if not self.supervisor.all_up:
            return False
        self.topics.drain()
        return self._settled() and not self.topics.read_to_end(1.0) and self._settled()

    def _settled(self) -> bool:
        """Whether what was read of the topics is complete, and committed by Settlement."""
        assert self.topics is not None
        return self.topics.progress.complete and all(
            (self.offsets.committed(self.group, topic, partition) or 0)
            == self.topics.position(topic, partition)
            for topic in (EVENTS, OUTPUTS)
            for partition in range(self.deployment.partitions)
        )

    def kill(self, name: str, struck: int = 0) -> str:
        """Kill a program and return its label; `struck` is the pid that fell at a door already."""
        fallen = next((each for each in self.programs if struck and each.pid == struck), None)
        program = fallen or self.living(name)
        if program is None:
            return ""
        program.kill()
        return program.label

    def stop(self) -> list[str]:
        """Stop every program in order (SIGTERM); return those that had to be killed."""
        for watched in self.supervisor.watched.values():
            watched.stopping = True
        living = [program for program in self.programs if program.alive]
        for program in living:
            program.resume()
            program.ask_to_stop()
        return [program.label for program in living if not program.stop(_STOP_S)]

    # -- underneath ----------------------------------------------------------------------------

    def _init(self, name: str) -> None:
        """Make a data directory with the deployment's own `init`."""
        child, log = self.launcher.once(name, "init")
        try:
            self.run_until(lambda: child.code is not None, _INIT_NS)
        finally:
            if child.code is None:
                child.end(signal.SIGKILL)
        if child.code:
            words = log.read_text(encoding="utf-8", errors="replace")
            raise Infrastructure(f"init of {name} ended with {child.code}: {words[-500:]}")
