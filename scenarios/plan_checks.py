"""Checks of a plan that somebody wrote: what it names is there, and can be harmed in that way."""

from collections.abc import Collection
from fnmatch import fnmatchcase

from scenarios.deployment import Deployment
from scenarios.errors import UsageError
from scenarios.redeploy import Redeploy
from scenarios.scenario import Plan, Step
from sim.faults import (
    AlterRecord,
    BitRot,
    Cut,
    DiskError,
    DiskFull,
    Fault,
    Isolate,
    LoseRecord,
    LoseRequest,
    LoseResponse,
    Lossy,
    ShrinkIsr,
    SlowDisk,
    SlowLink,
    Throttle,
)
from sim.kafka.protocol import APIS
from system import topics

_TOPICS = (AlterRecord, LoseRecord, ShrinkIsr)
_PROGRAMS = (BitRot, DiskError, DiskFull, SlowDisk, Redeploy)  # servers keep their disks whole
_LINKS = (Cut, Isolate, LoseRequest, LoseResponse, Lossy, SlowLink)
_BY_GLOB = (LoseRequest, LoseResponse)

_FRAMES = ("AUTH_RESPONSE", "BATCH", "EXECUTE", "OPTIONS", "PREPARE", "QUERY", "REGISTER")
_REQUESTS = frozenset(("bytes", "STARTUP", *_FRAMES, *APIS))
_RESPONSES = frozenset(
    ("bytes", "AUTHENTICATE", "AUTH_SUCCESS", "ERROR", "EVENT", "READY", "RESULT", "SUPPORTED")
) | {f"{name}Response" for name in APIS}


def check(plan: Plan, deployment: Deployment) -> None:
    """Raise `UsageError` with the first step that names what `deployment` has not."""
    for number, step in enumerate(plan, 1):
        why = _lacking(step, deployment)
        if why:
            raise UsageError(f"step {number} of the plan, {step.fault!r}: {why}")


def _lacking(step: Step, deployment: Deployment) -> str:
    if step.on is not None and step.on.process not in deployment.programs:
        return _none_of(step.on.process, "a program with moments", deployment.programs)
    if isinstance(step.fault, Redeploy) and not deployment.formats:
        return "the programs of this scenario are told no format version that could change"
    what, there = _targets(step.fault, deployment)
    for target in step.fault.targets:
        globbed = isinstance(step.fault, _BY_GLOB) and any(fnmatchcase(n, target) for n in there)
        if target not in there and not globbed:
            return _none_of(target, what, there)
    return _unspoken(step.fault)


def _unspoken(fault: Fault) -> str:
    """Say that nobody ever sends what `fault` is to lose, if so."""
    if isinstance(fault, LoseRequest) and fault.message not in _REQUESTS:
        return f"{fault.message!r} is no request; there are {', '.join(sorted(_REQUESTS))}"
    if isinstance(fault, LoseResponse) and fault.message not in _RESPONSES:
        return f"{fault.message!r} is no response; there are {', '.join(sorted(_RESPONSES))}"
    return ""


def _targets(fault: Fault, deployment: Deployment) -> tuple[str, Collection[str]]:
    """Return what `fault` can be aimed at, in a word and by name."""
    if isinstance(fault, _TOPICS):
        return "a topic", topics.ALL
    if isinstance(fault, Throttle):
        return "a broker", deployment.brokers
    if isinstance(fault, _PROGRAMS):
        return "a program", deployment.programs
    if isinstance(fault, _LINKS):
        return "a host", (*deployment.hosts, deployment.client)
    return "a program or server", deployment.hosts


def _none_of(name: str, what: str, there: Collection[str]) -> str:
    return f"{name!r} is not {what} of this scenario; there are {', '.join(there)}"
