"""Plan generators: from a seed's stream to an explicit plan of faults.

Swarm testing (Groce et al., ISSTA 2012): each seed first draws which kinds of faults are on at
all, then how often each strikes. Many seeds with few kinds find what every seed with all kinds
would hide.
"""

import random
from collections.abc import Callable, Sequence

from scenarios.deployment import DATA
from scenarios.redeploy import Redeploy
from scenarios.scenario import MILLISECOND, SECOND, Plan, Scenario, Step
from sim.faults import (
    AlterRecord,
    BitRot,
    ClockDrift,
    ClockStep,
    Crash,
    Cut,
    DiskError,
    DiskFull,
    Fault,
    Isolate,
    LoseRecord,
    LoseRequest,
    LoseResponse,
    Lossy,
    Pause,
    PowerLoss,
    SlowDisk,
    SlowLink,
    Throttle,
)
from system.records import OUTPUTS

Draw = Callable[[random.Random, Scenario], Step | Plan]

_HARM_NS = 8 * SECOND
_ENGINE_MOMENTS = (
    *("orders.produce", "orders.delivered", "orders.poll", "outputs.produce", "outputs.delivered"),
    *("engine.write", "engine.rename"),
)


def swarm(stream: random.Random, scenario: Scenario) -> Plan:
    """Draw which kinds are on, then one or two strikes of each."""
    rate = stream.choice((0.12, 0.2, 0.3, 0.45))
    kinds = (*KINDS, *_KINDS_OF_ENGINES) if scenario.deployment.engines else KINDS
    on = [kind for kind in kinds if stream.random() < rate] or [stream.choice(kinds)]
    if stream.random() < 0.75:
        on.append(stream.choice(_CRASHES))
    steps: list[Step] = []
    for kind in on:
        for _ in range(stream.choice((1, 1, 2))):
            drawn = kind(stream, scenario)
            steps += drawn if isinstance(drawn, tuple) else (drawn,)
    return tuple(sorted(steps, key=lambda step: (step.at, repr(step))))


def trading_day(stream: random.Random, scenario: Scenario) -> Plan:
    """Kill every program once or twice at some time of the day, and let a swarm do the rest."""
    crashes = [
        _step(stream, Crash(name), 1, 1)
        for name in scenario.deployment.programs
        for _ in range(stream.randint(1, 2))
    ]
    return _with_swarm(stream, scenario, *crashes)


def races(stream: random.Random, scenario: Scenario) -> Plan:
    """Slow the way between UBSCore and the engine down, or stop one of them, and crash a little."""
    deployment = scenario.deployment
    slowed = [
        _step(stream, SlowLink(deployment.engines[0], stream.choice((20, 200, 900))), 500, 5000),
        _step(stream, Pause(stream.choice((*deployment.engines, *deployment.cores))), 100, 3000),
    ]
    crashes = [_crash_on_moment(stream, scenario) for _ in range(stream.randint(0, 2))]
    return tuple(sorted((*slowed, *crashes), key=lambda step: (step.at, repr(step))))


def restarts_mid_match(stream: random.Random, scenario: Scenario) -> Plan:
    """Kill the engine (now and then its host) at moments of its own, several times."""
    deployment = scenario.deployment
    steps = []
    for _ in range(stream.randint(2, 5)):
        name = stream.choice((*_ENGINE_MOMENTS, "outputs.produce", "engine.write", "wal.append"))
        role = deployment.program_of(name)
        part = stream.choice((0.0, 0.5, 1.0))
        moment = deployment.moment(role, name, stream.randint(1, 8), part=part)
        fault = stream.choice((Crash, Crash, PowerLoss))(moment.process)
        at, lasts = stream.randrange(_HARM_NS), stream.randint(1, 800) * MILLISECOND
        steps.append(Step(at=at, on=moment, lasts=lasts, fault=fault))
    return tuple(sorted(steps, key=lambda step: (step.at, repr(step))))


def torn_append(_: random.Random, scenario: Scenario) -> Plan:
    """Kill UBSCore after a part of the bytes of its third append to the log."""
    moment = scenario.deployment.moment("ubscore", "wal.append", 3, part=0.5)
    return (Step(on=moment, lasts=SECOND, fault=Crash(moment.process)),)


def engine_gap(stream: random.Random, scenario: Scenario) -> Plan:
    """Lose or alter one of the engine's first outputs; now and then kill programs around it."""
    ordinal = stream.randint(1, 12)
    lose = LoseRecord(OUTPUTS, ordinal, stream.randrange(2))
    alter = AlterRecord(OUTPUTS, ordinal, stream.randrange(2000), stream.randrange(8))
    crashes = [_crash_program(stream, scenario) for _ in range(stream.choice((0, 0, 1, 2)))]
    spoil = Step(lasts=2 * _HARM_NS, fault=stream.choice((lose, alter)))
    return tuple(sorted((spoil, *crashes), key=lambda step: (step.at, repr(step))))


def upgrade(stream: random.Random, scenario: Scenario) -> Plan:
    """Agree on the next format version, readers first, while a swarm is at large."""
    deployment = scenario.deployment
    order = (*deployment.settlements, *deployment.engines, *deployment.cores, *deployment.gateways)
    return _with_swarm(stream, scenario, _redeployed(stream, order, stream.choice((2, 3))))


def upgrade_out_of_order(stream: random.Random, scenario: Scenario) -> Plan:
    """Agree on it in any order, but with Settlement last; later take it back at one of them."""
    deployment = scenario.deployment
    order = list(deployment.programs)
    stream.shuffle(order)
    order.sort(key=lambda name: name in deployment.settlements)
    one = stream.choice((*deployment.cores, *deployment.settlements, *deployment.engines))
    new = stream.choice((2, 3))
    back = Step(at=8 * SECOND, lasts=SECOND, fault=Redeploy((one,), stream.randrange(1, new)))
    forth = Step(at=11 * SECOND, lasts=SECOND, fault=Redeploy((one,), new))
    return (_redeployed(stream, order, new), back, forth)


def _redeployed(stream: random.Random, order: Sequence[str], formats: int) -> Step:
    at = SECOND + stream.randrange(SECOND)
    return Step(at=at, lasts=4 * SECOND, fault=Redeploy(tuple(order), formats))


def _with_swarm(stream: random.Random, scenario: Scenario, *steps: Step) -> Plan:
    plan = (*steps, *swarm(stream, scenario))
    return tuple(sorted(plan, key=lambda step: (step.at, repr(step))))


def rotten_log(stream: random.Random, scenario: Scenario) -> Plan:
    """Flip a bit in the middle of the log, then kill UBSCore, so that it has to read it."""
    core = scenario.deployment.core
    rot = BitRot(core, f"{DATA}/wal-", stream.randint(70, 900), stream.randrange(8))
    return (
        Step(at=2 * SECOND, lasts=1, fault=rot),
        Step(at=2 * SECOND + 1, lasts=1, fault=Crash(core)),
    )


def _step(stream: random.Random, fault: Fault, shortest_ms: int, longest_ms: int) -> Step:
    lasts = stream.randint(shortest_ms, longest_ms) * MILLISECOND
    return Step(at=stream.randrange(_HARM_NS), lasts=lasts, fault=fault)


def _early(stream: random.Random, fault: Fault) -> Step:
    """Begin soon and wait long: for faults that wait for something rare."""
    return Step(at=stream.randrange(_HARM_NS // 3), lasts=_HARM_NS, fault=fault)


def _program(stream: random.Random, scenario: Scenario) -> str:
    return stream.choice(scenario.deployment.programs)


def _broker(stream: random.Random, scenario: Scenario) -> str:
    return stream.choice(scenario.deployment.brokers)


def _node(stream: random.Random, scenario: Scenario) -> str:
    return stream.choice(scenario.deployment.nodes)


def _host(stream: random.Random, scenario: Scenario) -> str:
    return stream.choice(scenario.deployment.hosts)


def _crash_program(stream: random.Random, scenario: Scenario) -> Step:
    return _step(stream, Crash(_program(stream, scenario)), 1, 1)


def _crash_on_moment(stream: random.Random, scenario: Scenario) -> Step:
    name = stream.choice(
        (
            "wal.append",
            "wal.append",
            "wal.fsync",
            "wal.fsync",
            "events.produce",
            "events.delivered",
            "operations.produce",
            "ledger.insert",
            "settled.commit",
            *(_ENGINE_MOMENTS if scenario.deployment.engines else ()),
        )
    )
    program = scenario.deployment.program_of(name)
    part = stream.choice((0.0, 0.5, 1.0, round(stream.random(), 3)))
    moment = scenario.deployment.moment(program, name, stream.randint(1, 20), part=part)
    return Step(at=stream.randrange(_HARM_NS // 2), on=moment, lasts=1, fault=Crash(moment.process))


def _power_on_moment(stream: random.Random, scenario: Scenario) -> Step:
    name = stream.choice(("wal.append", "wal.fsync", "events.produce", "wal.rename"))
    part = stream.choice((0.0, 0.5, 1.0))
    moment = scenario.deployment.moment("ubscore", name, stream.randint(1, 15), part=part)
    return Step(
        at=stream.randrange(_HARM_NS // 2),
        on=moment,
        lasts=stream.randint(50, 2000) * MILLISECOND,
        fault=PowerLoss(moment.process),
    )


def _crash_broker(stream: random.Random, scenario: Scenario) -> Step:
    return _step(stream, Crash(_broker(stream, scenario)), 100, 4000)


def _crash_node(stream: random.Random, scenario: Scenario) -> Step:
    return _step(stream, Crash(_node(stream, scenario)), 100, 5000)


def _power_loss(stream: random.Random, scenario: Scenario) -> Step:
    host = stream.choice(scenario.deployment.stores)
    return _step(stream, PowerLoss(host), 100, 4000)


def _pause_program(stream: random.Random, scenario: Scenario) -> Step:
    return _step(stream, Pause(_program(stream, scenario)), 50, 12_000)


def _pause_server(stream: random.Random, scenario: Scenario) -> Step:
    servers = (*scenario.deployment.brokers, *scenario.deployment.nodes)
    return _step(stream, Pause(stream.choice(servers)), 50, 6000)


def _stall_outputs(stream: random.Random, scenario: Scenario) -> Step:
    """Pause a broker as the engine sends an output: that one may arrive, and be sent once more."""
    moment = scenario.deployment.moment("engine", "outputs.produce", stream.randint(1, 15))
    return Step(
        at=stream.randrange(_HARM_NS // 4),
        on=moment,
        lasts=stream.randint(2500, 6000) * MILLISECOND,
        fault=Pause(_broker(stream, scenario)),
    )


def _cut(stream: random.Random, scenario: Scenario) -> Step:
    program = _program(stream, scenario)
    server = stream.choice((*scenario.deployment.brokers, *scenario.deployment.nodes))
    source, target = stream.choice(((program, server), (server, program)))
    return _step(stream, Cut(source, target), 50, 4000)


def _isolate(stream: random.Random, scenario: Scenario) -> Step:
    return _step(stream, Isolate((_host(stream, scenario),)), 50, 4000)


def _slow_link(stream: random.Random, scenario: Scenario) -> Step:
    fault = SlowLink(_host(stream, scenario), stream.choice((2, 20, 200, 1500)))
    return _step(stream, fault, 200, 4000)


def _lossy(stream: random.Random, scenario: Scenario) -> Step:
    return _step(stream, Lossy(_host(stream, scenario), stream.randint(2, 40)), 200, 4000)


def _lose_kafka_request(stream: random.Random, _: Scenario) -> Step:
    kind = stream.choice(("Produce", "OffsetCommit", "OffsetCommit", "Fetch"))
    return _early(stream, LoseRequest("kafka-*", kind, stream.randint(1, 3)))


def _lose_kafka_response(stream: random.Random, _: Scenario) -> Step:
    kind = stream.choice(("Produce", "OffsetCommit", "OffsetCommit", "Fetch"))
    return _early(stream, LoseResponse("kafka-*", f"{kind}Response", stream.randint(1, 3)))


def _lose_cql(stream: random.Random, scenario: Scenario) -> Step:
    node = _node(stream, scenario)
    fault = stream.choice((LoseRequest(node, "EXECUTE", 2), LoseResponse(node, "RESULT", 2)))
    return _step(stream, fault, 500, 5000)


def _lose_http(stream: random.Random, scenario: Scenario) -> Step:
    gateway = stream.choice(scenario.deployment.gateways)
    fault = stream.choice((LoseRequest(gateway, "bytes", 2), LoseResponse(gateway, "bytes", 2)))
    return _step(stream, fault, 500, 5000)


def _disk_error(stream: random.Random, scenario: Scenario) -> Step:
    name = stream.choice(("wal.fsync", "wal.append"))
    door = scenario.deployment.moment("ubscore", name).door
    fault = DiskError(scenario.deployment.core, door, "EIO", stream.randint(1, 2))
    return _step(stream, fault, 500, 4000)


def _disk_error_at_recovery(stream: random.Random, scenario: Scenario) -> Plan:
    name = stream.choice(("wal.rename", "wal.read"))
    core = scenario.deployment.core
    door = scenario.deployment.moment("ubscore", name).door
    error = _step(stream, DiskError(core, door, "EIO", stream.randint(1, 2)), 2000, 5000)
    return (error, Step(at=error.at + 1, lasts=1, fault=Crash(core)))


def _throttle(stream: random.Random, scenario: Scenario) -> Step:
    fault = Throttle(_broker(stream, scenario), stream.choice((300, 800, 2000)))
    return _step(stream, fault, 500, 5000)


def _disk_full(stream: random.Random, scenario: Scenario) -> Step:
    return _step(stream, DiskFull(scenario.deployment.core), 300, 4000)


def _slow_disk(stream: random.Random, scenario: Scenario) -> Step:
    fault = SlowDisk(scenario.deployment.core, stream.choice((5, 50, 500, 3000)))
    return _step(stream, fault, 500, 5000)


def _clock_step(stream: random.Random, scenario: Scenario) -> Step:
    by = stream.choice((-1, 1)) * stream.choice((5, 200, 5000, 120_000))
    return _step(stream, ClockStep(_host(stream, scenario), by), 200, 6000)


def _clock_drift(stream: random.Random, scenario: Scenario) -> Step:
    fault = ClockDrift(_host(stream, scenario), stream.choice((-1, 1)) * stream.randint(50, 50_000))
    return _step(stream, fault, 1000, 8000)


_CRASHES: tuple[Draw, ...] = (_crash_program, _crash_on_moment, _crash_on_moment, _power_on_moment)

KINDS: tuple[Draw, ...] = (
    _crash_program,
    _crash_on_moment,
    _power_on_moment,
    _crash_broker,
    _crash_node,
    _power_loss,
    _pause_program,
    _pause_server,
    _cut,
    _isolate,
    _slow_link,
    _lossy,
    _lose_kafka_request,
    _lose_kafka_response,
    _throttle,
    _lose_cql,
    _lose_http,
    _disk_error,
    _disk_error_at_recovery,
    _disk_full,
    _slow_disk,
    _clock_step,
    _clock_drift,
)

_KINDS_OF_ENGINES: tuple[Draw, ...] = (_stall_outputs,)
