"""Plans aimed at one weakness each: snapshots, batches, clocks, lost events, replicas, answers."""

import random

from scenarios.deployment import DELIVERY_MS
from scenarios.draws import HARM_NS, in_order, strike
from scenarios.scenario import MICROSECOND, MILLISECOND, SECOND, Plan, Scenario, Step
from sim.faults import (
    AlterRecord,
    ClockStep,
    Crash,
    DiskError,
    Fault,
    LoseRecord,
    LoseRequest,
    LoseResponse,
    Pause,
    PowerLoss,
    ShrinkIsr,
    SlowDisk,
    SlowLink,
)
from sim.moments import Moment
from system.records import EVENTS, OPERATIONS

_SNAPSHOTS = tuple(
    f"{whose}.{call}"
    for whose in ("snapshot", "engine")
    for call in ("write", "fsync", "rename", "unlink")
)


def snapshots_due(stream: random.Random, scenario: Scenario) -> Plan:
    """Kill UBSCore or the engine, or their hosts, in the middle of snapshots and right after."""
    deployment = scenario.deployment
    steps = []
    for _ in range(stream.randint(2, 5)):
        name = stream.choice(_SNAPSHOTS)
        part = stream.choice((0.0, 0.5, 1.0))
        role = deployment.program_of(name)
        moment = deployment.moment(role, name, stream.randint(1, 12), part=part)
        fault = stream.choice((Crash, PowerLoss, PowerLoss))(moment.process)
        lasts = stream.randint(1, 900) * MILLISECOND
        steps.append(Step(at=stream.randrange(HARM_NS // 2), on=moment, lasts=lasts, fault=fault))
    for _ in range(stream.randint(0, 2)):
        host = stream.choice((*deployment.cores, *deployment.engines))
        steps.append(strike(stream, PowerLoss(host), 1, 900))
    return in_order(steps)


def kills_mid_batch(stream: random.Random, scenario: Scenario) -> Plan:
    """Let records pile up before Settlement, lose some of its statements, and kill it meanwhile."""
    deployment = scenario.deployment
    steps = []
    for _ in range(stream.randint(2, 4)):
        name = stream.choice(deployment.settlements)
        piles = strike(stream, Pause(name), 800, 2500)
        served = piles.at + piles.lasts
        node = stream.choice(deployment.nodes)
        harm: Fault = stream.choice(
            (
                LoseRequest(node, "EXECUTE", stream.randint(1, 4)),
                SlowLink(node, stream.choice((20, 200))),
                Pause(node),
            )
        )
        steps += [piles, Step(at=piles.at, lasts=piles.lasts + 2 * SECOND, fault=harm)]
        moment = deployment.moment("settlement", "ledger.insert", stream.randint(2, 12))
        if moment.process == name and stream.random() < 0.75:
            steps.append(Step(at=served, on=moment, lasts=1, fault=Crash(name)))
        else:
            soon = served + stream.randint(1, 60) * MILLISECOND
            steps.append(Step(at=soon, lasts=1, fault=Crash(name)))
    return in_order(steps)


def kills_mid_showing(stream: random.Random, scenario: Scenario) -> Plan:
    """Kill Settlement as it shows orders and trades, when their outputs are in the log already."""
    steps = []
    for number in range(stream.randint(2, 3)):
        name = stream.choice(scenario.deployment.settlements)
        what = stream.choice(("INSERT orders_by_user", "INSERT trades_by_user"))
        shows = Moment(name, "cql.execute", stream.randint(1, 3), 0.0, what)
        at = (1 + 2 * number) * SECOND + stream.randrange(SECOND)
        steps.append(Step(at=at, on=shows, lasts=1, fault=Crash(name)))
    return in_order(steps)


def lost_statements(stream: random.Random, scenario: Scenario) -> Plan:
    """Lose statements on their way to the database, lose answers of it, and let nodes stall."""
    nodes = scenario.deployment.nodes
    steps = []
    for node in nodes:
        lost = LoseRequest(node, "EXECUTE", stream.randint(2, 6))
        unheard = LoseResponse(node, "RESULT", stream.randint(2, 6))
        steps += [strike(stream, fault, 1000, 4000) for fault in (lost, unheard)]
    steps += [strike(stream, Pause(stream.choice(nodes)), 2500, 3500)]
    return in_order(steps)


def zombies(stream: random.Random, scenario: Scenario) -> Plan:
    """Stop a Settlement in the middle of showing many orders, until its group has given it up.

    That takes its session's timeout (6 s), a heartbeat of another one, and the joining.
    """
    name = stream.choice(scenario.deployment.settlements)
    at = stream.randrange(SECOND, 2 * SECOND)
    piles = Step(at=at, lasts=stream.randint(3500, 4500) * MILLISECOND, fault=Pause(name))
    shows = Moment(name, "cql.execute", stream.randint(1, 4), 0.0, "INSERT orders_by_user")
    lasts = stream.randint(11_000, 12_500) * MILLISECOND
    served = piles.at + piles.lasts
    return (piles, Step(at=served - MILLISECOND, on=shows, lasts=lasts, fault=Pause(name)))


def clocks_go_back(stream: random.Random, scenario: Scenario) -> Plan:
    """Set the clocks of programs back, and restart each program before its clock is right again."""
    steps = []
    for _ in range(stream.randint(1, 3)):
        name = stream.choice(scenario.deployment.programs)
        back = ClockStep(name, -stream.choice((40, 900, 8_000, 90_000, 3_600_000)))
        wrong = strike(stream, back, 1500, 6000)
        at = wrong.at + stream.randrange(wrong.lasts)
        steps += [wrong, Step(at=at, lasts=1, fault=Crash(name))]
    return in_order(steps)


def failed_syncs(stream: random.Random, scenario: Scenario) -> Plan:
    """Let commands pile up while a sync takes long, the sync of all their frames fail, power go.

    Frames of several pages have to be lost: whoever appends to the last one has it written again.
    """
    deployment = scenario.deployment
    core, door = deployment.core, deployment.moment("ubscore", "wal.fsync").door
    steps = []
    for begins in (SECOND, 7 * SECOND):
        at = begins + stream.randrange(SECOND // 2)
        slow = Step(at=at, lasts=2500 * MILLISECOND, fault=SlowDisk(core, 1500))
        error = DiskError(core, door, "EIO", 1)
        fails = Step(at=at + 2 * SECOND, lasts=2 * SECOND, fault=error)
        goes = at + stream.randint(4300, 5500) * MILLISECOND
        lasts = stream.randint(1, 400) * MILLISECOND
        steps += [slow, fails, Step(at=goes, lasts=lasts, fault=PowerLoss(core))]
    return in_order(steps)


def slow_syncs(stream: random.Random, scenario: Scenario) -> Plan:
    """Let every sync of the log take long, and take UBSCore's power away meanwhile."""
    core = scenario.deployment.core
    slow = SlowDisk(core, stream.randint(120, 200))
    steps = [Step(at=SECOND, lasts=12 * SECOND, fault=slow)]
    for begins in (2, 5, 8, 11):
        at = begins * SECOND + stream.randrange(SECOND)
        lasts = stream.randint(1, 900) * MILLISECOND
        steps.append(Step(at=at, lasts=lasts, fault=PowerLoss(core)))
    return in_order(steps)


def refused_batches(stream: random.Random, scenario: Scenario) -> Plan:
    """Slow the way to the brokers down, so that batches queue up, and have one of them refused."""
    steps = []
    for broker in scenario.deployment.brokers:
        slow = SlowLink(broker, stream.choice((100, 200)))
        steps.append(Step(at=SECOND, lasts=4 * SECOND, fault=slow))
    for begins in (1500, 2500, 3500, 4500):
        at = (begins + stream.randrange(800)) * MILLISECOND
        refuse = ShrinkIsr(stream.choice((EVENTS, EVENTS, OPERATIONS)), stream.randint(1, 2))
        steps.append(Step(at=at, lasts=SECOND, fault=refuse))
    return in_order(steps)


def event_gap(stream: random.Random, scenario: Scenario) -> Plan:
    """Lose one of UBSCore's first events, or let it rot; now and then kill it as it hears of it.

    What was acknowledged last is not in UBSCore's log yet, so at its start it reads from there on.
    """
    deployment = scenario.deployment
    ordinal = stream.randint(4, 12)
    lose = LoseRecord(EVENTS, ordinal, stream.randrange(2))
    rot = AlterRecord(EVENTS, ordinal, stream.randrange(400), stream.randrange(8), stale=1)
    steps = [Step(lasts=2 * HARM_NS, fault=stream.choice((lose, lose, rot)))]
    if stream.random() < 0.3:
        steps.append(strike(stream, Crash(stream.choice(deployment.programs)), 1, 1))
    if stream.random() < 0.4:
        heard = ordinal + stream.randrange(2)
        hears = deployment.moment("ubscore", "events.delivered", heard)
        crash = Crash(hears.process)
        steps.append(Step(on=hears, lasts=stream.randint(1, 900) * MILLISECOND, fault=crash))
    return in_order(steps)


def missed_writes(stream: random.Random, scenario: Scenario) -> Plan:
    """Kill a node for some seconds, and meanwhile those that would hand it what it missed.

    A coordinator that dies before a write's timeout (2 s) keeps no hint of it.
    """
    nodes = list(scenario.deployment.nodes)
    steps = []
    for begins in (SECOND, 6 * SECOND):
        stream.shuffle(nodes)
        away, *others = nodes
        at = begins + stream.randrange(SECOND)
        steps.append(Step(at=at, lasts=3 * SECOND, fault=Crash(away)))
        at += SECOND + stream.randrange(SECOND // 2)
        for other in others:
            steps.append(
                Step(at=at, lasts=stream.randint(1, 200) * MILLISECOND, fault=Crash(other))
            )
            at += stream.randint(300, 700) * MILLISECOND
    return in_order(steps)


def unsent_answers(stream: random.Random, scenario: Scenario) -> Plan:
    """Kill all brokers for a moment, and a gateway while nothing of what it was asked can leave."""
    deployment = scenario.deployment
    steps = []
    for begins in (SECOND, 5 * SECOND):
        at = begins + stream.randrange(SECOND)
        lasts = stream.randint(700, 1500) * MILLISECOND
        steps += [Step(at=at, lasts=lasts, fault=Crash(broker)) for broker in deployment.brokers]
        soon = at + stream.randrange(300 * MILLISECOND, lasts)
        steps.append(Step(at=soon, lasts=1, fault=Crash(stream.choice(deployment.gateways))))
    return in_order(steps)


def failed_deliveries(stream: random.Random, scenario: Scenario) -> Plan:
    """Lose what UBSCore sends, and another time what it hears of it, for longer than it tries."""
    lost: list[Fault] = [
        LoseRequest("kafka-*", "Produce", 1000),
        LoseResponse("kafka-*", "ProduceResponse", 1000),
    ]
    stream.shuffle(lost)
    steps = []
    for begins, fault in zip((SECOND, 6 * SECOND), lost, strict=True):
        sends = scenario.deployment.moment("ubscore", "events.produce", stream.randint(1, 4))
        lasts = DELIVERY_MS + stream.randint(500, 1500)
        steps.append(Step(at=begins, on=sends, lasts=lasts * MILLISECOND, fault=fault))
    return in_order(steps)


def dead_coordinators(stream: random.Random, scenario: Scenario) -> Plan:
    """Stop a node as Settlement writes what has piled up, and kill Settlement, then the node.

    Statements that the node was asked to carry out die with it, others are in the database.
    """
    deployment = scenario.deployment
    steps = []
    for begins in (2 * SECOND, 12 * SECOND):  # a member killed in between is given up after 6 s
        name, node = stream.choice(deployment.settlements), stream.choice(deployment.nodes)
        piles = Step(at=begins, lasts=stream.randint(2000, 2800) * MILLISECOND, fault=Pause(name))
        served = piles.at + piles.lasts
        writes = Moment(name, "cql.execute", stream.randint(1, 3), 0.0, "INSERT balance_ledger")
        stops = Step(at=served - MILLISECOND, on=writes, lasts=3 * SECOND, fault=Pause(node))
        dies = served + stream.randint(700, 1200) * MILLISECOND
        ends = dies + stream.randint(20, 100) * MILLISECOND
        steps += [piles, stops, Step(at=dies, lasts=1, fault=Crash(name))]
        steps.append(Step(at=ends, lasts=MILLISECOND, fault=Crash(node)))
    return in_order(steps)


def cut_short(stream: random.Random, scenario: Scenario) -> Plan:
    """Let Settlement write what has piled up while no node works; kill all soon after they wake.

    How soon decides how much of it has been handed on: a real node takes longer to wake up.
    """
    (name, *_), nodes = scenario.deployment.settlements, scenario.deployment.nodes
    soon = [(200, 1200), (2000, 5000), (3000, 8000)]
    stream.shuffle(soon)
    steps = []
    for begins, dies_us in zip((1500, 7000, 12_500), soon, strict=True):
        at = (begins + stream.randrange(500)) * MILLISECOND
        piles = Step(at=at, lasts=stream.randint(1500, 2000) * MILLISECOND, fault=Pause(name))
        stops = piles.at + piles.lasts + 500 * MILLISECOND
        wakes = stops + stream.randint(1500, 1800) * MILLISECOND
        steps.append(piles)
        for node in nodes:
            dies, lasts = wakes + stream.randint(*dies_us) * MICROSECOND, stream.randint(100, 600)
            steps += [
                Step(at=stops, lasts=wakes - stops, fault=Pause(node)),
                Step(at=dies, lasts=lasts * MILLISECOND, fault=Crash(node)),
            ]
    return in_order(steps)
