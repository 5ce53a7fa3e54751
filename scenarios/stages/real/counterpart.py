"""A counterpart: what a fault is on the real stage, and of which target, on which back end.

It says first whether it can be had. Otherwise the reason is told before the run, and the fault
counts as not tested.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from scenarios.backends.base import Ability, Backend
from scenarios.deployment import Deployment
from sim.faults import Fault, Receipt

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

Injection = Callable[[Any, "RealTown"], AbstractContextManager[Receipt]]
Requirement = Callable[[Any, "Setting"], str]
Counterparts = dict[type[Fault], "Counterpart"]


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
    injected: Injection
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
            return f"nobody can do that to a server of kind {where.backend.kind}"
        return ""

    return lacking


def _program(fault: Any, where: Setting) -> str:
    outside = [name for name in fault.targets if name not in where.deployment.programs]
    return f"{', '.join(outside)} is no program, and only programs have doors" if outside else ""


def hit(how: str, ability: Ability, injected: Injection) -> Counterpart:
    """Return the counterpart of a fault of a process."""
    return Counterpart(how, _ability(ability), injected, "programs, servers")


def door(how: str, injected: Injection) -> Counterpart:
    """Return the counterpart of a fault of a program's disk or clock."""
    return Counterpart(how, _program, injected)


def proxied(_: Any, where: Setting) -> str:
    """Demand that proxies stand before the servers."""
    return "" if where.backend.abilities else "nothing is put before servers that others run"
