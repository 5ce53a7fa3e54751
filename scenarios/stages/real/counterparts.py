"""Counterparts: what each fault of a plan is on the real stage, per kind of back end, or nothing.

One registry, by the type of the fault. A counterpart says first whether it can be had: of which
target, on which back end. Otherwise the reason is told before the run, and the fault counts as
not tested.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from scenarios.backends.base import Ability
from scenarios.scenario import Step
from scenarios.stages.real import harm
from sim.faults import (
    BitRot,
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
    Receipt,
    SlowDisk,
    SlowLink,
    Throttle,
)

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

Injection = Callable[[Any, "RealTown"], AbstractContextManager[Receipt]]
Requirement = Callable[[Any, "RealTown"], str]


@dataclass(frozen=True, slots=True)
class Counterpart:
    """How a kind of fault is done for real.

    `how` is one sentence for people, `lacking` says why it cannot be done here (empty: it can).
    """

    how: str
    lacking: Requirement
    injected: Injection | None = None
    needs_proxies: bool = False


def _ability(ability: Ability) -> Requirement:
    """Demand that the target is a program, or a server to which this can be done."""

    def lacking(fault: Any, town: "RealTown") -> str:
        (target,) = fault.targets
        if target in town.deployment.programs:
            return ""
        if target not in town.server_names:
            return f"this back end has no server {target}"
        if ability not in town.backend.abilities:
            return f"a server of a back end of kind {town.backend.kind} cannot be told to"
        return ""

    return lacking


def _links(fault: Any, town: "RealTown") -> str:
    if not town.backend.abilities:
        return "nothing is put before servers that others run"
    unknown = [name for name in fault.targets if not _known(name, town)]
    if unknown:
        return f"this back end has no server {', '.join(unknown)}"
    ends = [name for name in fault.targets if name in town.server_names]
    if isinstance(fault, Cut) and len(ends) == 2:
        return "links between servers have no proxy"
    return ""


def _known(name: str, town: "RealTown") -> bool:
    hosts = (*town.deployment.programs, *town.server_names, town.deployment.client)
    return any(fnmatchcase(host, name) for host in hosts)


def _program(fault: Any, town: "RealTown") -> str:
    outside = [name for name in fault.targets if name not in town.deployment.programs]
    return f"{', '.join(outside)} is no program, and only programs have doors" if outside else ""


def _never(why: str) -> Requirement:
    return lambda _, __: why


COUNTERPARTS: dict[type[Fault], Counterpart] = {
    Crash: Counterpart("SIGKILL; a server is started again", _ability(Ability.KILL), harm.crash),
    Pause: Counterpart("SIGSTOP, then SIGCONT", _ability(Ability.PAUSE), harm.pause),
    Cut: Counterpart("a proxy holds what comes from one side", _links, harm.cut, True),
    Isolate: Counterpart(
        "proxies hold everything between clients and these", _links, harm.isolate, True
    ),
    SlowLink: Counterpart("proxies let messages wait", _links, harm.slow_link, True),
    Lossy: Counterpart("proxies let messages wait as TCP would", _links, harm.lossy, True),
    LoseRequest: Counterpart(
        "a proxy drops the request and resets the connection", _links, harm.lose_request, True
    ),
    LoseResponse: Counterpart(
        "a proxy drops the answer and resets the connection", _links, harm.lose_response, True
    ),
    DiskError: Counterpart("a door returns the error number", _program, harm.disk_error),
    DiskFull: Counterpart("a door returns ENOSPC", _program, harm.disk_full),
    SlowDisk: Counterpart("a door waits before each sync", _program, harm.slow_disk),
    ClockStep: Counterpart("a door shifts Python's wall clock", _program, harm.clock_step),
    ClockDrift: Counterpart("a door lets Python's clocks drift", _program, harm.clock_drift),
    BitRot: Counterpart("a bit of the file is flipped", _program, harm.bit_rot),
    PowerLoss: Counterpart(
        "none", _never("a machine's page cache cannot be taken away from one process")
    ),
    Throttle: Counterpart("none", _never("client quotas of one broker cannot be set from outside")),
}


def lacking(step: Step, town: "RealTown") -> str:
    """Return why a step has no counterpart here; empty if it has one."""
    counterpart = COUNTERPARTS.get(type(step.fault))
    if counterpart is None:
        return "nobody has said what it is on the real stage"
    if step.on is not None and step.on.process not in town.deployment.programs:
        return f"its moment is one of {step.on.process}, which is no program"
    return counterpart.lacking(step.fault, town)


def injected(fault: Fault, town: "RealTown") -> AbstractContextManager[Receipt]:
    """Return what does the harm on entry and heals it on exit."""
    harm_it = COUNTERPARTS[type(fault)].injected
    assert harm_it is not None, f"{fault!r} has no counterpart"
    return harm_it(fault, town)


def needs_proxies(step: Step) -> bool:
    """Whether the fault is one of links."""
    return COUNTERPARTS[type(step.fault)].needs_proxies
