"""Harm to links: proxies hold, delay and drop what passes."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from scenarios.stages.real.counterpart import (
    Counterpart,
    Counterparts,
    Injection,
    Setting,
    proxied,
)
from scenarios.stages.real.proxies.weather import Fate, Passage
from sim.faults import Cut, Isolate, LoseRequest, LoseResponse, Lossy, Receipt, SlowLink, Throttle
from sim.kafka.cluster.quotas import Quota

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

_MILLISECOND = 10**6
# An answer held for longer looks like a dead broker; Kafka sends an empty one meanwhile (KIP-219).
_THROTTLED_MS_MAX = 1000
_RETRANSMIT, _RETRANSMIT_MAX = 200 * _MILLISECOND, 60_000 * _MILLISECOND


@contextmanager
def cut(fault: Cut, town: "RealTown") -> Generator[Receipt]:
    """Hold what the source sends to the target."""
    with _held(fault, town, lambda p: p.source == fault.source and p.target == fault.target) as it:
        yield it


@contextmanager
def isolate(fault: Isolate, town: "RealTown") -> Generator[Receipt]:
    """Hold everything between the hosts and the rest, as far as proxies stand there."""
    hosts = fault.hosts
    with _held(fault, town, lambda p: (p.source in hosts) != (p.target in hosts)) as it:
        yield it


@contextmanager
def _held(
    fault: Cut | Isolate, town: "RealTown", crosses: Callable[[Passage], bool]
) -> Generator[Receipt]:
    receipt = Receipt(fault.targets)
    with town.weather.cut(crosses) as tally:
        try:
            yield receipt
        finally:
            if tally.held:
                receipt.bite("messages held", tally.held)


@contextmanager
def slow_link(fault: SlowLink, town: "RealTown") -> Generator[Receipt]:
    """Let messages wait up to the delay, drawn for each."""
    receipt = Receipt(fault.targets)
    draw = town.stream("faults.links").random

    def slow(passage: Passage) -> Fate:
        if fault.host not in (passage.source, passage.target):
            return Fate()
        receipt.bite("messages delayed")
        return Fate(int(draw() * fault.delay_ms * _MILLISECOND))

    with town.weather.rule(slow):
        yield receipt


@contextmanager
def lossy(fault: Lossy, town: "RealTown") -> Generator[Receipt]:
    """Let messages wait as long as TCP would take to send them again."""
    receipt = Receipt(fault.targets)
    draw = town.stream("faults.links").random

    def lose(passage: Passage) -> Fate:
        if fault.host not in (passage.source, passage.target):
            return Fate()
        delay, timeout = 0, _RETRANSMIT
        while draw() * 100 < fault.percent and timeout < _RETRANSMIT_MAX:
            delay += timeout
            timeout *= 2
        if delay:
            receipt.bite("segments lost")
        return Fate(delay)

    with town.weather.rule(lose):
        yield receipt


@contextmanager
def lose_request(fault: LoseRequest, town: "RealTown") -> Generator[Receipt]:
    """Lose requests on their way to the server, with their connections."""
    with _losing(fault, town, "requests lost", lambda p: fnmatchcase(p.target, fault.target)) as r:
        yield r


@contextmanager
def lose_response(fault: LoseResponse, town: "RealTown") -> Generator[Receipt]:
    """Lose answers on their way back, with their connections."""
    with _losing(fault, town, "responses lost", lambda p: fnmatchcase(p.source, fault.source)) as r:
        yield r


@contextmanager
def _losing(
    fault: LoseRequest | LoseResponse,
    town: "RealTown",
    effect: str,
    aimed_at: Callable[[Passage], bool],
) -> Generator[Receipt]:
    receipt = Receipt(fault.targets)

    def lose(passage: Passage) -> Fate:
        wanted = passage.kind == fault.message and aimed_at(passage)
        if not wanted or receipt.bites >= fault.count:
            return Fate()
        receipt.bite(effect)
        return Fate(lost=True)

    with town.weather.rule(lose):
        yield receipt


@contextmanager
def throttle(fault: Throttle, town: "RealTown") -> Generator[Receipt]:
    """Let what a client sends to a broker and reads from it wait for its quota."""
    receipt = Receipt(fault.targets)
    sent, read = Quota(fault.bytes_per_second), Quota(fault.bytes_per_second)

    def slow(passage: Passage) -> Fate:
        if (passage.target, passage.kind) == (fault.broker, "Produce"):
            quota, client = sent, passage.source
        elif (passage.source, passage.kind) == (fault.broker, "FetchResponse"):
            quota, client = read, passage.target
        else:
            return Fate()
        wait_ms = quota.throttle_ms(client, town.clock.now // _MILLISECOND, len(passage.content))
        if wait_ms:
            receipt.bite("requests throttled")
        return Fate(min(wait_ms, _THROTTLED_MS_MAX) * _MILLISECOND)

    with town.weather.rule(slow):
        yield receipt


def _links(fault: Any, where: Setting) -> str:
    if nothing_there := proxied(fault, where):
        return nothing_there
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


def _link(how: str, injected: Injection) -> Counterpart:
    """Return the counterpart of a fault of links."""
    return Counterpart(how, _links, injected, "links of programs and clients", "", True)


COUNTERPARTS: Counterparts = {
    Cut: _link("a proxy holds what comes from one side", cut),
    Isolate: _link("proxies hold everything between these and the rest", isolate),
    SlowLink: _link("proxies let messages wait", slow_link),
    Lossy: _link("proxies let messages wait as TCP would", lossy),
    LoseRequest: _link("a proxy drops the request and resets the connection", lose_request),
    LoseResponse: _link("a proxy drops the answer and resets the connection", lose_response),
    Throttle: _link("a proxy lets Produce and Fetch wait for a quota", throttle),
}
