"""Draws: one strike of each kind of fault, from a seed's stream.

A fault that is to be drawn has its kind here; `scenarios.plans` makes plans of them.
"""

import random
from collections.abc import Callable, Iterable

from scenarios.scenario import MILLISECOND, SECOND, Plan, Scenario, Step
from sim.faults import (
    ClockDrift,
    ClockStep,
    Crash,
    Cut,
    DiskError,
    DiskFull,
    Fault,
    Isolate,
    LoseRequest,
    LoseResponse,
    Lossy,
    Pause,
    PowerLoss,
    SlowDisk,
    SlowLink,
    Throttle,
)

Draw = Callable[[random.Random, Scenario], Step | Plan]

HARM_NS = 8 * SECOND
ENGINE_MOMENTS = (
    *("orders.produce", "orders.delivered", "orders.poll", "outputs.produce", "outputs.delivered"),
    *("engine.write", "engine.rename"),
)


def in_order(steps: Iterable[Step]) -> Plan:
    """Return a plan: its steps by time, those of one time in an order of their own."""
    return tuple(sorted(steps, key=lambda step: (step.at, repr(step))))


def strike(stream: random.Random, fault: Fault, shortest_ms: int, longest_ms: int) -> Step:
    """Return a step at some time that lasts some time."""
    lasts = stream.randint(shortest_ms, longest_ms) * MILLISECOND
    return Step(at=stream.randrange(HARM_NS), lasts=lasts, fault=fault)


def _early(stream: random.Random, fault: Fault) -> Step:
    """Begin soon and wait long: for faults that wait for something rare."""
    return Step(at=stream.randrange(HARM_NS // 3), lasts=HARM_NS, fault=fault)


def _program(stream: random.Random, scenario: Scenario) -> str:
    return stream.choice(scenario.deployment.programs)


def _broker(stream: random.Random, scenario: Scenario) -> str:
    return stream.choice(scenario.deployment.brokers)


def _node(stream: random.Random, scenario: Scenario) -> str:
    return stream.choice(scenario.deployment.nodes)


def _host(stream: random.Random, scenario: Scenario) -> str:
    return stream.choice(scenario.deployment.hosts)


def crash_program(stream: random.Random, scenario: Scenario) -> Step:
    """Kill a program at some time."""
    return strike(stream, Crash(_program(stream, scenario)), 1, 1)


def crash_on_moment(stream: random.Random, scenario: Scenario) -> Step:
    """Kill a program at a moment of its own, before, in or after the call."""
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
            *(ENGINE_MOMENTS if scenario.deployment.engines else ()),
        )
    )
    program = scenario.deployment.program_of(name)
    part = stream.choice((0.0, 0.5, 1.0, round(stream.random(), 3)))
    moment = scenario.deployment.moment(program, name, stream.randint(1, 20), part=part)
    return Step(at=stream.randrange(HARM_NS // 2), on=moment, lasts=1, fault=Crash(moment.process))


def _power_on_moment(stream: random.Random, scenario: Scenario) -> Step:
    name = stream.choice(("wal.append", "wal.fsync", "events.produce", "wal.rename"))
    part = stream.choice((0.0, 0.5, 1.0))
    moment = scenario.deployment.moment("ubscore", name, stream.randint(1, 15), part=part)
    return Step(
        at=stream.randrange(HARM_NS // 2),
        on=moment,
        lasts=stream.randint(50, 2000) * MILLISECOND,
        fault=PowerLoss(moment.process),
    )


def _crash_broker(stream: random.Random, scenario: Scenario) -> Step:
    return strike(stream, Crash(_broker(stream, scenario)), 100, 4000)


def _crash_node(stream: random.Random, scenario: Scenario) -> Step:
    return strike(stream, Crash(_node(stream, scenario)), 100, 5000)


def _power_loss(stream: random.Random, scenario: Scenario) -> Step:
    host = stream.choice(scenario.deployment.stores)
    return strike(stream, PowerLoss(host), 100, 4000)


def _pause_program(stream: random.Random, scenario: Scenario) -> Step:
    return strike(stream, Pause(_program(stream, scenario)), 50, 12_000)


def _pause_server(stream: random.Random, scenario: Scenario) -> Step:
    servers = (*scenario.deployment.brokers, *scenario.deployment.nodes)
    return strike(stream, Pause(stream.choice(servers)), 50, 6000)


def _stall_outputs(stream: random.Random, scenario: Scenario) -> Step:
    """Pause a broker as the engine sends an output: that one may arrive, and be sent once more."""
    moment = scenario.deployment.moment("engine", "outputs.produce", stream.randint(1, 15))
    return Step(
        at=stream.randrange(HARM_NS // 4),
        on=moment,
        lasts=stream.randint(2500, 6000) * MILLISECOND,
        fault=Pause(_broker(stream, scenario)),
    )


def unheard_outputs(stream: random.Random, scenario: Scenario) -> Step:
    """Lose every answer of brokers to senders, from an output on, for longer than they try.

    What was sent is there and not acknowledged: the engine's next producer sends it once more.
    """
    moment = scenario.deployment.moment("engine", "outputs.produce", stream.randint(1, 15))
    return Step(
        at=stream.randrange(HARM_NS // 4),
        on=moment,
        lasts=stream.randint(2500, 4000) * MILLISECOND,
        fault=LoseResponse("kafka-*", "ProduceResponse", 1000),
    )


def _cut(stream: random.Random, scenario: Scenario) -> Step:
    program = _program(stream, scenario)
    server = stream.choice((*scenario.deployment.brokers, *scenario.deployment.nodes))
    source, target = stream.choice(((program, server), (server, program)))
    return strike(stream, Cut(source, target), 50, 4000)


def _isolate(stream: random.Random, scenario: Scenario) -> Step:
    return strike(stream, Isolate((_host(stream, scenario),)), 50, 4000)


def _slow_link(stream: random.Random, scenario: Scenario) -> Step:
    fault = SlowLink(_host(stream, scenario), stream.choice((2, 20, 200, 1500)))
    return strike(stream, fault, 200, 4000)


def _lossy(stream: random.Random, scenario: Scenario) -> Step:
    return strike(stream, Lossy(_host(stream, scenario), stream.randint(2, 40)), 200, 4000)


def _lose_kafka_request(stream: random.Random, _: Scenario) -> Step:
    kind = stream.choice(("Produce", "OffsetCommit", "OffsetCommit", "Fetch"))
    return _early(stream, LoseRequest("kafka-*", kind, stream.randint(1, 3)))


def _lose_kafka_response(stream: random.Random, _: Scenario) -> Step:
    kind = stream.choice(("Produce", "OffsetCommit", "OffsetCommit", "Fetch"))
    return _early(stream, LoseResponse("kafka-*", f"{kind}Response", stream.randint(1, 3)))


def _lose_cql(stream: random.Random, scenario: Scenario) -> Step:
    node = _node(stream, scenario)
    fault = stream.choice((LoseRequest(node, "EXECUTE", 2), LoseResponse(node, "RESULT", 2)))
    return strike(stream, fault, 500, 5000)


def _lose_http(stream: random.Random, scenario: Scenario) -> Step:
    gateway = stream.choice(scenario.deployment.gateways)
    fault = stream.choice((LoseRequest(gateway, "bytes", 2), LoseResponse(gateway, "bytes", 2)))
    return strike(stream, fault, 500, 5000)


def _disk_error(stream: random.Random, scenario: Scenario) -> Step:
    name = stream.choice(("wal.fsync", "wal.append"))
    door = scenario.deployment.moment("ubscore", name).door
    fault = DiskError(scenario.deployment.core, door, "EIO", stream.randint(1, 2))
    return strike(stream, fault, 500, 4000)


def _disk_error_at_recovery(stream: random.Random, scenario: Scenario) -> Plan:
    name = stream.choice(("wal.rename", "wal.read"))
    core = scenario.deployment.core
    door = scenario.deployment.moment("ubscore", name).door
    error = strike(stream, DiskError(core, door, "EIO", stream.randint(1, 2)), 2000, 5000)
    return (error, Step(at=error.at + 1, lasts=1, fault=Crash(core)))


def _throttle(stream: random.Random, scenario: Scenario) -> Step:
    fault = Throttle(_broker(stream, scenario), stream.choice((300, 800, 2000)))
    return strike(stream, fault, 500, 5000)


def _disk_full(stream: random.Random, scenario: Scenario) -> Step:
    return strike(stream, DiskFull(scenario.deployment.core), 300, 4000)


def _slow_disk(stream: random.Random, scenario: Scenario) -> Step:
    fault = SlowDisk(scenario.deployment.core, stream.choice((5, 50, 500, 3000)))
    return strike(stream, fault, 500, 5000)


def _clock_step(stream: random.Random, scenario: Scenario) -> Step:
    by = stream.choice((-1, 1)) * stream.choice((5, 200, 5000, 120_000))
    return strike(stream, ClockStep(_host(stream, scenario), by), 200, 6000)


def _clock_drift(stream: random.Random, scenario: Scenario) -> Step:
    fault = ClockDrift(_host(stream, scenario), stream.choice((-1, 1)) * stream.randint(50, 50_000))
    return strike(stream, fault, 1000, 8000)


CRASHES: tuple[Draw, ...] = (crash_program, crash_on_moment, crash_on_moment, _power_on_moment)

KINDS: tuple[Draw, ...] = (
    crash_program,
    crash_on_moment,
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

KINDS_OF_ENGINES: tuple[Draw, ...] = (_stall_outputs,)
