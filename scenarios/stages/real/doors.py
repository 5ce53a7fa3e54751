"""Doors around programs: which rules a plan needs at whose doors, and the boards they share."""

import errno
import json
from pathlib import Path

from scenarios.deployment import Deployment
from scenarios.scenario import Plan, Step
from scenarios.stages.real.site import Site
from sim.disk import Interrupted
from sim.doors.through.board import Board, Cell
from sim.doors.through.plan import DoorPlan, Rule
from sim.faults import ClockDrift, ClockStep, Crash, DiskError, DiskFull, Fault, PowerLoss, SlowDisk

LEDGER = "syncs.ledger"
_MILLISECOND = 10**6


class Doors:
    """The doors of one program, as the stage sees them."""

    def __init__(self, name: str, plan: DoorPlan, path: Path, keys: tuple[object, ...]) -> None:
        self.name = name
        self.plan = plan
        self.path = path
        self.board = Board.make(Path(plan.board), len(plan.rules))
        self._keys = keys  # of each rule: the step whose moment it is, or the fault
        self._noted = 0

    def rule(self, key: object) -> int:
        """Return the number of the rule for a step or a fault."""
        return next(i for i, each in enumerate(self._keys) if each is key)

    def arm(self, rule: int, *, times: int = 0) -> None:
        """Let the rule count calls from now on."""
        self.board.put(rule, Cell.LEFT, times)
        self.board.put(rule, Cell.ARMED, 1)

    def disarm(self, rule: int) -> int:
        """Let the rule rest; return how often it bit since it was made."""
        self.board.put(rule, Cell.ARMED, 0)
        return self.board.get(rule, Cell.BITES)

    def torn(self) -> Interrupted | None:
        """Return the latest interrupted write that was not told yet."""
        notes = Path(self.plan.notes)
        lines = notes.read_text(encoding="utf-8").splitlines() if notes.exists() else []
        if len(lines) == self._noted:
            return None
        self._noted = len(lines)
        note = json.loads(lines[-1])
        return Interrupted(
            path=note["path"],
            call="os.write",
            offset=note["offset"],
            done=note["done"],
            asked=note["asked"],
        )


def doors_for(plan: Plan, site: Site, deployment: Deployment) -> dict[str, Doors]:
    """Return the doors of every program for which the plan has a rule; most have none."""
    found = {}
    for name in deployment.programs:
        rules: list[tuple[Rule, object]] = []
        for step in plan:
            rules += _rules(step, name, deployment.data(name))
        clock = any(
            isinstance(step.fault, ClockStep | ClockDrift) and step.fault.host == name
            for step in plan
        )
        power = any(isinstance(s.fault, PowerLoss) and s.fault.host == name for s in plan)
        if rules or clock or power:
            found[name] = _doors(name, rules, site, deployment.data(name), clock=clock, power=power)
    return found


def _doors(
    name: str, rules: list[tuple[Rule, object]], site: Site, data: str, *, clock: bool, power: bool
) -> Doors:
    home = site.home(name)
    plan = DoorPlan(
        board=str(home / "doors.board"),
        notes=str(home / "doors.notes"),
        rules=tuple(rule for rule, _ in rules),
        paths=((str(site.data(name)), data),),
        clock=clock,
        power=str(home / LEDGER) if power else "",
    )
    path = home / "doors.json"
    plan.save(path)
    return Doors(name, plan, path, tuple(key for _, key in rules))


def _rules(step: Step, name: str, data: str) -> list[tuple[Rule, object]]:
    """Return the rules that a step needs at the doors of the program `name`."""
    rules: list[tuple[Rule, object]] = []
    moment, fault = step.on, step.fault
    if moment is not None and moment.process == name:
        rule = Rule(
            kind="moment",
            door=moment.door,
            subject=moment.subject,
            ordinal=moment.ordinal,
            part=moment.part,
            dies=isinstance(fault, Crash) and fault.target == name,
        )
        rules.append((rule, step))
    harm = _harm(fault, data)
    if harm is not None and name in fault.targets:
        rules.append((harm, fault))
    return rules


def _harm(fault: Fault, data: str) -> Rule | None:
    match fault:
        case DiskError():
            number = getattr(errno, fault.error)
            return Rule(kind="error", door=fault.door, subject=fault.path, errno=number)
        case DiskFull():
            return Rule(kind="full", door="space", subject=f"{data}*")
        case SlowDisk():
            return Rule(kind="slow", door="os.fsync", by_ns=fault.by_ms * _MILLISECOND)
    return None
