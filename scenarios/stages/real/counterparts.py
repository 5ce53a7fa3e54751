"""Counterparts: what each fault of a plan is on the real stage, all in one table."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from scenarios.scenario import Step
from scenarios.stages.real.counterpart import Counterparts, Setting
from scenarios.stages.real.harm import brokers, clocks, disks, links, processes, replicas
from sim.faults import Fault, Receipt

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

COUNTERPARTS: Counterparts = {
    **processes.COUNTERPARTS,
    **links.COUNTERPARTS,
    **disks.COUNTERPARTS,
    **clocks.COUNTERPARTS,
    **brokers.COUNTERPARTS,
    **replicas.COUNTERPARTS,
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
    return COUNTERPARTS[type(fault)].injected(fault, town)


def needs_proxies(step: Step) -> bool:
    """Whether the fault is one of links."""
    return COUNTERPARTS[type(step.fault)].needs_proxies
