"""Driving a load: what sends, what follows it through the deployment, and who takes CPU time."""

import os
import random
from collections.abc import Callable, Iterator

from reports.load import Usage
from scenarios.backends.base import Address
from scenarios.errors import Infrastructure
from scenarios.keys import OPERATOR_KEY
from scenarios.load.following import Follower
from scenarios.load.orders import Orders
from scenarios.load.requests import Requests
from scenarios.load.samples import Samples
from scenarios.load.sending import Burst, Sender
from scenarios.load.settings import SECOND, Settings
from scenarios.load.through_http import ThroughHttp
from scenarios.load.through_topic import ThroughTopic
from scenarios.load.usage import Meter
from scenarios.stages.real.town import RealTown
from system.records import EVENTS, OUTPUTS

_HURRY_S = 5.0  # for what is under way when somebody interrupts
_HALTED = 5 * SECOND  # for what is under way beside a program that halted
_METER = SECOND
_LOOK = 20_000_000  # programs at whose doors nothing waits need no closer look


class Drive:
    """Sends bursts into a town and follows what becomes of them; `start` comes first."""

    def __init__(self, settings: Settings, town: RealTown, samples: Samples) -> None:
        self.settings = settings
        self.town = town
        self.samples = samples
        self.meter = Meter()
        self._metered_ns = 0
        self._sender: Sender | None = None
        self._follower: Follower | None = None

    @property
    def now(self) -> int:
        """Nanoseconds since the start of the run."""
        return self.town.clock.now

    @property
    def sender(self) -> Sender:
        """What sends."""
        assert self._sender is not None, "not started"
        return self._sender

    @property
    def follower(self) -> Follower:
        """What follows events and commits."""
        assert self._follower is not None, "not started"
        return self._follower

    @property
    def done(self) -> bool:
        """Whether everything is sent, and everything acknowledged has settled."""
        return not self.sender.sending and self.follower.caught_up

    def start(self) -> None:
        """Have empty topics and tables, and all programs ready."""
        town, settings = self.town, self.settings
        town.prepare()
        if not town.doors:
            town.look_ns = _LOOK
        kind = Orders if town.deployment.engines else Requests
        requests = kind(settings.users, town.stream("load/requests"), town.clock.wall_ms)
        self._sender = self._make_sender(requests, town.stream("load/arrivals"))
        self._follower = Follower(
            town.backend,
            town.group,
            (EVENTS, OUTPUTS) if town.deployment.engines else (EVENTS,),
            settings.partitions,
            self.samples,
            lambda: town.clock.now,
            town.clock.epoch_ns,
        )
        town.start_programs()
        town.wait_until_ready()
        self._follower.start()

    def begin(self, rate: float, lasts_ns: int) -> int:
        """Begin to send a burst; return from when on its times count."""
        return self.sender.start(Burst(rate=rate, lasts_ns=lasts_ns, spacing=self.settings.spacing))

    def until(self, done: Callable[[], object], bound_ns: int) -> bool:
        """Let the run go on, with an eye on everything that takes part."""

        def look() -> object:
            if self.now - self._metered_ns >= _METER:
                self._metered_ns = self.now
                self.meter.look(self.processes())
                trouble = self.sender.trouble or self.follower.trouble
                if trouble:
                    raise Infrastructure(f"the load cannot go on: {trouble}")
            return done()

        return self.town.run_until(look, bound_ns)

    def settled(self) -> bool:
        """Wait until all of it is done; false if nothing more settles for long."""
        before = -1
        while self.samples.settled_count > before:  # a backlog is no loss while it shrinks
            before = self.samples.settled_count
            if self.until(lambda: self.done, self._patience()):
                return True
        return False

    def _patience(self) -> int:
        """Return how long to wait for more to settle: nobody starts a program that halted."""
        halted = self.town.supervisor.halted
        return _HALTED if halted else self.town.scenario.settles_ns

    def hurry(self) -> None:
        """Send nothing more, and wait a little for what is under way."""
        self.sender.stop(_HURRY_S)
        self.until(lambda: self.follower.caught_up, round(_HURRY_S * SECOND))

    def metered(self) -> tuple[Usage, ...]:
        """Return the CPU time that each process has taken since the meter began."""
        self.meter.look(self.processes())
        return self.meter.end()

    def close(self) -> None:
        """Stop sending and following."""
        if self._sender is not None:
            self._sender.stop(_HURRY_S)
        if self._follower is not None:
            self._follower.close()

    def processes(self) -> Iterator[tuple[str, int]]:
        """Yield name and pid of everything that takes part."""
        for program in self.town.programs:
            if program.alive:
                yield program.name, program.pid
        for server in self.town.backend.servers:
            if server.pid is not None:
                yield server.name, server.pid
        yield "load generator", os.getpid()

    def _make_sender(self, requests: Requests, times: random.Random) -> Sender:
        town, settings = self.town, self.settings
        now = lambda: town.clock.now  # noqa: E731
        if settings.through == "topic":
            return ThroughTopic(town.backend, self.samples, requests, times, now)
        return ThroughHttp(
            self._gateways, OPERATOR_KEY, settings.connections, self.samples, requests, times, now
        )

    def _gateways(self) -> list[Address]:
        return [Address(*self.town.gateway(name)) for name in self.town.deployment.gateways]
