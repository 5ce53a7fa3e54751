"""Counterparts: what each fault of a plan is on the real stage, per kind of back end, or nothing.

One registry, by the type of the fault. A counterpart says first whether it can be had: of which
target, on which back end. Otherwise the reason is told before the run, and the fault counts as
not tested.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from scenarios.backends.base import Ability, Backend
from scenarios.deployment import Deployment
from scenarios.redeploy import Redeploy
from scenarios.scenario import Step
from scenarios.stages.real import harm
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
    Receipt,
    SlowDisk,
    SlowLink,
    Throttle,
)

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

Injection = Callable[[Any, "RealTown"], AbstractContextManager[Receipt]]
Requirement = Callable[[Any, "Setting"], str]


@dataclass(frozen=True, slots=True)
class Setting:
    """What a plan is to be played on: programs as deployed, on the servers of a back end."""

    deployment: Deployment
    backend: Backend

    @classmethod
    def of(cls, deployment: Deployment, backend: Backend) -> "Setting":
        """Return the deployment on the servers that there are."""
        brokers = tuple(broker.name for broker in backend.brokers)
        nodes = tuple(node.name for node in backend.nodes)
        return cls(replace(deployment, brokers=brokers, nodes=nodes), backend)

    @property
    def servers(self) -> tuple[str, ...]:
        """The names of all servers."""
        return (*self.deployment.brokers, *self.deployment.nodes)


@dataclass(frozen=True, slots=True)
class Counterpart:
    """How a kind of fault is done for real.

    `how` is one sentence for people, `lacking` says why it cannot be done here (empty: it can).
    `reach` is what it can be done to where the servers are ours, `reach_remote` where they are
    those of others.
    """

    how: str
    lacking: Requirement
    injected: Injection | None = None
    reach: str = "programs"
    reach_remote: str = "programs"
    needs_proxies: bool = False


def _ability(ability: Ability) -> Requirement:
    """Demand that the target is a program, or a server to which this can be done."""

    def lacking(fault: Any, where: Setting) -> str:
        (target,) = fault.targets
        if target in where.deployment.programs:
            return ""
        if target not in where.servers:
            return f"no program or server is called {target}"
        if ability not in where.backend.abilities:
            return f"a server of a back end of kind {where.backend.kind} cannot be told to"
        return ""

    return lacking


def _links(fault: Any, where: Setting) -> str:
    if not where.backend.abilities:
        return "nothing is put before servers that others run"
    unknown = [name for name in fault.targets if not _known(name, where)]
    if unknown:
        return f"no program or server is called {', '.join(unknown)}"
    ends = [name for name in fault.targets if name in where.servers]
    if isinstance(fault, Cut) and len(ends) == 2:
        return "links between servers have no proxy"
    return ""


def _known(name: str, where: Setting) -> bool:
    hosts = (*where.deployment.programs, *where.servers, where.deployment.client)
    return any(fnmatchcase(host, name) for host in hosts)


def _program(fault: Any, where: Setting) -> str:
    outside = [name for name in fault.targets if name not in where.deployment.programs]
    return f"{', '.join(outside)} is no program, and only programs have doors" if outside else ""


def _hit(how: str, ability: Ability, injected: Injection) -> Counterpart:
    """Return the counterpart of a fault of a process."""
    return Counterpart(how, _ability(ability), injected, "programs, servers")


def _link(how: str, injected: Injection) -> Counterpart:
    """Return the counterpart of a fault of links."""
    return Counterpart(how, _links, injected, "links of programs and clients", "", True)


def _door(how: str, injected: Injection) -> Counterpart:
    """Return the counterpart of a fault of a program's disk or clock."""
    return Counterpart(how, _program, injected)


def _none(why: str) -> Counterpart:
    """Return what stands for a fault that has no counterpart."""
    return Counterpart(NONE, lambda _, __: why, None, "", "")


NONE = "none"

COUNTERPARTS: dict[type[Fault], Counterpart] = {
    Crash: _hit("SIGKILL; a server is started again", Ability.KILL, harm.crash),
    Pause: _hit("SIGSTOP, then SIGCONT", Ability.PAUSE, harm.pause),
    Cut: _link("a proxy holds what comes from one side", harm.cut),
    Isolate: _link("proxies hold everything between these and the rest", harm.isolate),
    SlowLink: _link("proxies let messages wait", harm.slow_link),
    Lossy: _link("proxies let messages wait as TCP would", harm.lossy),
    LoseRequest: _link("a proxy drops the request and resets the connection", harm.lose_request),
    LoseResponse: _link("a proxy drops the answer and resets the connection", harm.lose_response),
    DiskError: _door("a door returns the error number", harm.disk_error),
    DiskFull: _door("a door returns ENOSPC", harm.disk_full),
    SlowDisk: _door("a door waits before each sync", harm.slow_disk),
    ClockStep: _door("a door shifts Python's wall clock", harm.clock_step),
    ClockDrift: _door("a door lets Python's clocks drift", harm.clock_drift),
    BitRot: _door("a bit of the file is flipped", harm.bit_rot),
    PowerLoss: _door("SIGKILL, then what doors saw no sync of goes", harm.power_loss),
    Throttle: _none("client quotas of one broker cannot be set from outside"),
    LoseRecord: _none("a record in a broker's log cannot be taken out from outside"),
    Redeploy: _none("programs of a real run keep the settings they began with"),
    AlterRecord: _none("a record in a broker's log cannot be changed from outside"),
}


def lacking(step: Step, where: Setting) -> str:
    """Return why a step has no counterpart here; empty if it has one."""
    counterpart = COUNTERPARTS.get(type(step.fault))
    if counterpart is None:
        return "nobody has said what it is on the real stage"
    if step.on is not None and step.on.process not in where.deployment.programs:
        return f"its moment is one of {step.on.process}, which is no program"
    return counterpart.lacking(step.fault, where)


def injected(fault: Fault, town: "RealTown") -> AbstractContextManager[Receipt]:
    """Return what does the harm on entry and heals it on exit."""
    harm_it = COUNTERPARTS[type(fault)].injected
    assert harm_it is not None, f"{fault!r} has no counterpart"
    return harm_it(fault, town)


def needs_proxies(step: Step) -> bool:
    """Whether the fault is one of links."""
    return COUNTERPARTS[type(step.fault)].needs_proxies
