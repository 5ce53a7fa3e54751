"""The simulated stage: one scenario and one seed, from an empty world to evidence and verdict.

In order: servers, programs, load and harm at once, healing, a bound within which everything must
settle, questions by clients, dumps and a double recovery, evidence.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import islice

import msgspec

from reports import judge
from reports.evidence import Evidence
from reports.judge import Judgement
from scenarios import auditor
from scenarios.clients import Client
from scenarios.keys import OPERATOR_KEY
from scenarios.nemesis import Nemesis
from scenarios.readers import History
from scenarios.results import Result
from scenarios.scenario import MILLISECOND, SECOND, Plan, Scenario
from scenarios.stages import audit, gathering, readiness, standing
from scenarios.stages.connection import Clock, Connection
from scenarios.stages.costs import Costs
from scenarios.stages.ground import SimulatedGround
from scenarios.stages.outcome import outcome
from scenarios.stages.sampling import Sampler
from scenarios.stages.town import HTTP_PORT, Town, pool
from sim.errors import CapReached, SimulationError
from sim.kernel import collecting_by_hand
from sim.process import Process
from sim.trace import Trace
from sim.watchdog import watching

_PATIENCE = 60 * SECOND  # for programs to come up in peace
_CHECK = 50 * MILLISECOND
_LOOK = 100 * MILLISECOND
_SAMPLE = 250 * MILLISECOND


@dataclass(slots=True)
class Run:
    """A run that came to its end: everything there is to know of it."""

    scenario: Scenario
    seed: int
    plan: Plan
    given: Plan | None  # the plan, if it is not the one that the seed draws
    evidence: Evidence
    judgement: Judgement
    result: Result
    trace: Trace
    costs_ns: dict[str, int]  # processor time by phase


def run(
    scenario: Scenario,
    seed: int,
    *,
    plan: Plan | None = None,
    keep_trace: bool = False,
    prepare: Callable[[Town], None] = lambda _: None,
    seen: Callable[[Evidence], Evidence] = lambda evidence: evidence,
    sampled: bool = False,
) -> Run:
    """Play `scenario` with `seed`; a plan given replaces the one that the seed draws.

    `prepare` sees the world before anything happens in it, `seen` says what of the evidence the
    judge gets to see. A run that is `sampled` has the programs' metrics over time in its evidence.
    """
    began = time.perf_counter_ns()
    costs = Costs()
    costs.begin("garbage")
    with (
        collecting_by_hand(),
        Town(scenario, seed, keep_trace=keep_trace, costs=costs) as town,
        watching(town.world.kernel),
    ):
        town.sampler = Sampler(_SAMPLE) if sampled else None
        prepare(town)
        stage = _Stage(town, plan)
        stage.play()
        costs.begin("evidence")
        evidence = seen(gathering.gather(town, stage.nemesis, stage.history, stage.log, plan))
        digest = town.world.kernel.trace.digest()
    costs.begin("judge")
    judgement = judge.judge(evidence)
    costs.end()
    result = msgspec.structs.replace(
        outcome(scenario, stage.plan, judgement, town.world.network.delivered),
        digest=digest,
        events=town.world.kernel.events,
        virtual_ns=town.world.kernel.now,
        real_ns=time.perf_counter_ns() - began,
    )
    trace = town.world.kernel.trace
    return Run(scenario, seed, stage.plan, plan, evidence, judgement, result, trace, costs.spent_ns)


def run_safely(
    scenario: Scenario,
    seed: int,
    *,
    plan: Plan | None = None,
    fresh: bool = False,
    prepare: Callable[[Town], None] = lambda _: None,
    seen: Callable[[Evidence], Evidence] = lambda evidence: evidence,
) -> Result:
    """Return the result of a run; what kept it from ending is a result, too.

    Only a lack of memory is raised: it belongs to the process, not to the seed.
    """
    if fresh:
        pool.forget()
    try:
        return run(scenario, seed, plan=plan, prepare=prepare, seen=seen).result
    except CapReached as cap:
        return Result(
            scenario=scenario.name, seed=seed, verdict="unknown", digest="", error=str(cap)
        )
    except MemoryError:
        raise
    except (SimulationError, Exception) as error:  # noqa: BLE001 - one seed must not end a hunt
        text = f"{type(error).__name__}: {error}"
        return Result(scenario=scenario.name, seed=seed, verdict="unknown", digest="", error=text)


class _Reached(SimulationError):
    """The time at which somebody wanted to stop has come."""


def look_at(scenario: Scenario, seed: int, at_ns: int, plan: Plan | None = None) -> list[str]:
    """Run until `at_ns` after the start of the world; say where everything stands."""
    with collecting_by_hand(), Town(scenario, seed, keep_trace=True) as town:
        kernel = town.world.kernel

        def stop() -> None:
            kernel.trouble = _Reached()

        kernel.after(at_ns, stop)
        try:
            _Stage(town, plan).play()
        except _Reached:
            return standing.lines(town)
        ended = kernel.now / SECOND
        return [f"the run ends at {ended:.3f} s, before that time", *standing.lines(town)]


class _Stage:
    """The course of one run."""

    def __init__(self, town: Town, plan: Plan | None) -> None:
        self.town = town
        self.world = town.world
        self.kernel = town.world.kernel
        self.history = History()
        self.log = audit.Log()
        self.course = gathering.Course(town)
        drawn = town.scenario.draw(self.kernel.stream("plan"))
        self.plan = drawn if plan is None else plan
        self.nemesis = Nemesis(SimulatedGround(self.world), self.plan)
        self.crowd: Process | None = None

    def play(self) -> None:
        """Go through all phases."""
        town, begin = self.town, self.town.costs.begin
        gathering.watch(town, self.log)
        begin("init")
        town.start_servers()
        town.start_programs()
        begin("boot")
        host = self.world.hosts[town.deployment.client]
        self.crowd = host.launch("clients", lambda: self.kernel.sleep(10**17))
        self._wait_until_ready()
        begin("load and harm")
        self.log.began_ns = self.kernel.now
        finished = self._let_clients_in()
        self.nemesis.unleash()
        harm_ends = self.kernel.now + max(
            (step.at + step.lasts for step in self.plan if step.on is None), default=0
        )
        self._run_until(lambda: finished() and self.kernel.now >= harm_ends, 600 * SECOND)
        self.nemesis.heal()
        begin("settling")
        self.log.healed_ns = self.kernel.now
        if self._run_until(self._settled, town.scenario.settles_ns):
            self.log.quiescent_ns = self.kernel.now
        begin("questions")
        self._ask_what_became_of_it()
        begin("dump and recoveries")
        if self.log.quiescent_ns is not None:  # else a recovery would blur what went wrong
            for shard, _ in enumerate(town.deployment.cores, 1):
                core = gathering.SimulatedCore(town, self._run_until, shard)
                audit.dump_and_recover_twice(core, self.log)
        self.log.ended_ns = self.kernel.now

    def _run_until(self, done: Callable[[], object], bound_ns: int) -> bool:
        """Run in small steps until `done()`; false if `bound_ns` came first."""
        deadline = self.kernel.now + bound_ns
        while not done():
            if self.kernel.now >= deadline:
                return False
            self.kernel.run(self.kernel.now + _CHECK)
            if self.town.sampler is not None:
                self.town.sampler.look(self.kernel.now, self.world.living)
        return True

    def _client(self, name: str) -> Client:
        assert self.crowd is not None
        hosts = self.town.deployment.gateways_of(name)
        return Client(
            name,
            connection=Connection(self.crowd, hosts, HTTP_PORT),
            clock=Clock(self.crowd),
            stream=self.kernel.stream(f"client/{name}"),
            key=OPERATOR_KEY,
            history=self.history,
        )

    def _wait_until_ready(self) -> None:
        """Let somebody look at the programs until every one has begun to work."""
        assert self.crowd is not None
        crowd, deployment, living = self.crowd, self.town.deployment, self.world.living
        waits_for = ["nobody has looked"]

        def serves(gateway: str) -> bool:
            return readiness.answers(Connection(crowd, (gateway,), HTTP_PORT))

        def probe() -> None:
            while waits_for:
                waits_for[:] = islice(readiness.unready(deployment, living, serves), 1)
                self.kernel.sleep(_LOOK)

        crowd.spawn(probe)
        if not self._run_until(lambda: not waits_for, _PATIENCE):
            words = "\n".join(waits_for)
            raise CapReached(f"not ready within {_PATIENCE // SECOND} s: {words}")

    def _let_clients_in(self) -> Callable[[], bool]:
        assert self.crowd is not None
        by_client: dict[str, list] = {}  # type: ignore[type-arg]
        for intent in self.town.scenario.workload.intents(self.kernel.stream("workload")):
            by_client.setdefault(intent.client, []).append(intent)
        threads = [
            self.crowd.spawn(
                partial(self._client(name).carry_out, intents, self.kernel.now), name=name
            )
            for name, intents in by_client.items()
        ]
        return lambda: all(thread.dead for thread in threads)

    def _settled(self) -> bool:
        return self.town.supervisor.all_up and self.course.caught_up()

    def _ask_what_became_of_it(self) -> None:
        """Let a client read everything, and ask for what nobody answered."""
        done: list[bool] = []
        quiescent, traded = self.log.quiescent_ns is not None, bool(self.town.deployment.engines)

        def ask() -> None:
            auditor.ask(self._client("auditor"), quiescent=quiescent, traded=traded)
            done.append(True)

        assert self.crowd is not None
        self.crowd.spawn(ask)
        self._run_until(lambda: done, 120 * SECOND)
