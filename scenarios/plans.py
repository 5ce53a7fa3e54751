"""Plan generators: from a seed's stream to an explicit plan of faults.

Swarm testing (Groce et al., ISSTA 2012): each seed first draws which kinds of faults are on at
all, then how often each strikes. Many seeds with few kinds find what every seed with all kinds
would hide.
"""

import random
from collections.abc import Sequence

from scenarios.deployment import DATA
from scenarios.draws import (
    CRASHES,
    ENGINE_MOMENTS,
    HARM_NS,
    KINDS,
    KINDS_OF_ENGINES,
    crash_on_moment,
    crash_program,
    in_order,
    strike,
    unheard_outputs,
)
from scenarios.redeploy import Redeploy
from scenarios.scenario import MILLISECOND, SECOND, Plan, Scenario, Step
from sim.faults import AlterRecord, BitRot, Crash, LoseRecord, Pause, PowerLoss, SlowLink
from system.formats import COMPACT, ORDERS, TRACES
from system.records import OUTPUTS

_NEXT = (ORDERS, TRACES, COMPACT)  # the format versions that a deployment upgrades to


def swarm(stream: random.Random, scenario: Scenario) -> Plan:
    """Draw which kinds are on, then one or two strikes of each."""
    rate = stream.choice((0.12, 0.2, 0.3, 0.45))
    kinds = (*KINDS, *KINDS_OF_ENGINES) if scenario.deployment.engines else KINDS
    on = [kind for kind in kinds if stream.random() < rate] or [stream.choice(kinds)]
    if stream.random() < 0.75:
        on.append(stream.choice(CRASHES))
    steps: list[Step] = []
    for kind in on:
        for _ in range(stream.choice((1, 1, 2))):
            drawn = kind(stream, scenario)
            steps += drawn if isinstance(drawn, tuple) else (drawn,)
    return in_order(steps)


def trading(stream: random.Random, scenario: Scenario) -> Plan:
    """Let a swarm loose; in every third plan the engine is not told what became of its outputs."""
    drawn = swarm(stream, scenario)
    return in_order((*drawn, unheard_outputs(stream, scenario))) if stream.random() < 0.3 else drawn


def trading_day(stream: random.Random, scenario: Scenario) -> Plan:
    """Kill every program once or twice at some time of the day, and let a swarm do the rest."""
    crashes = [
        strike(stream, Crash(name), 1, 1)
        for name in scenario.deployment.programs
        for _ in range(stream.randint(1, 2))
    ]
    return _with_swarm(stream, scenario, *crashes)


def races(stream: random.Random, scenario: Scenario) -> Plan:
    """Slow the way between UBSCore and the engine down, or stop one of them, and crash a little."""
    deployment = scenario.deployment
    slowed = [
        strike(stream, SlowLink(deployment.engines[0], stream.choice((20, 200, 900))), 500, 5000),
        strike(stream, Pause(stream.choice((*deployment.engines, *deployment.cores))), 100, 3000),
    ]
    crashes = [crash_on_moment(stream, scenario) for _ in range(stream.randint(0, 2))]
    return in_order((*slowed, *crashes))


def restarts_mid_match(stream: random.Random, scenario: Scenario) -> Plan:
    """Kill the engine (now and then its host) at moments of its own, several times."""
    deployment = scenario.deployment
    steps = []
    for _ in range(stream.randint(2, 5)):
        name = stream.choice((*ENGINE_MOMENTS, "outputs.produce", "engine.write", "wal.append"))
        role = deployment.program_of(name)
        part = stream.choice((0.0, 0.5, 1.0))
        moment = deployment.moment(role, name, stream.randint(1, 8), part=part)
        fault = stream.choice((Crash, Crash, PowerLoss))(moment.process)
        at, lasts = stream.randrange(HARM_NS), stream.randint(1, 800) * MILLISECOND
        steps.append(Step(at=at, on=moment, lasts=lasts, fault=fault))
    return in_order(steps)


def torn_append(_: random.Random, scenario: Scenario) -> Plan:
    """Kill UBSCore after a part of the bytes of its third append to the log."""
    moment = scenario.deployment.moment("ubscore", "wal.append", 3, part=0.5)
    return (Step(on=moment, lasts=SECOND, fault=Crash(moment.process)),)


def engine_gap(stream: random.Random, scenario: Scenario) -> Plan:
    """Lose or alter one of the engine's first outputs; now and then kill programs around it."""
    ordinal = stream.randint(1, 12)
    lose = LoseRecord(OUTPUTS, ordinal, stream.randrange(2))
    place = stream.randrange(2000), stream.randrange(8)
    alter = AlterRecord(OUTPUTS, ordinal, *place, stale=stream.randrange(2))
    crashes = [crash_program(stream, scenario) for _ in range(stream.choice((0, 0, 1, 2)))]
    spoil = Step(lasts=2 * HARM_NS, fault=stream.choice((lose, alter)))
    return in_order((spoil, *crashes))


def upgrade(stream: random.Random, scenario: Scenario) -> Plan:
    """Agree on the next format version, readers first, while a swarm is at large."""
    deployment = scenario.deployment
    order = (*deployment.settlements, *deployment.engines, *deployment.cores, *deployment.gateways)
    return _with_swarm(stream, scenario, _redeployed(stream, order, stream.choice(_NEXT)))


def upgrade_out_of_order(stream: random.Random, scenario: Scenario) -> Plan:
    """Agree on it in any order, but with Settlement last; later take it back at one of them."""
    deployment = scenario.deployment
    order = list(deployment.programs)
    stream.shuffle(order)
    order.sort(key=lambda name: name in deployment.settlements)
    one = stream.choice((*deployment.cores, *deployment.settlements, *deployment.engines))
    new = stream.choice(_NEXT)
    back = Step(at=8 * SECOND, lasts=SECOND, fault=Redeploy((one,), stream.randrange(1, new)))
    forth = Step(at=11 * SECOND, lasts=SECOND, fault=Redeploy((one,), new))
    return (_redeployed(stream, order, new), back, forth)


def _redeployed(stream: random.Random, order: Sequence[str], formats: int) -> Step:
    at = SECOND + stream.randrange(SECOND)
    return Step(at=at, lasts=4 * SECOND, fault=Redeploy(tuple(order), formats))


def _with_swarm(stream: random.Random, scenario: Scenario, *steps: Step) -> Plan:
    plan = (*steps, *swarm(stream, scenario))
    return in_order(plan)


def rotten_log(stream: random.Random, scenario: Scenario) -> Plan:
    """Flip a bit in the middle of the log, then kill UBSCore, so that it has to read it."""
    core = scenario.deployment.core
    rot = BitRot(core, f"{DATA}/wal-", stream.randint(70, 900), stream.randrange(8))
    return (
        Step(at=2 * SECOND, lasts=1, fault=rot),
        Step(at=2 * SECOND + 1, lasts=1, fault=Crash(core)),
    )
