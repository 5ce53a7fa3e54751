"""The harm itself: what each fault does to processes, links, files and clocks of this machine."""

import os
from collections.abc import Callable, Generator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from scenarios.stages.real.doors import LEDGER
from scenarios.stages.real.power import undo
from scenarios.stages.real.proxies.weather import Fate, Passage
from sim.doors.through.board import Clock
from sim.doors.through.clocks import gained_ns
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
)
from sim.faults.disks import CONTEXT, Rot

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

_MILLISECOND = 10**6
_RETRANSMIT, _RETRANSMIT_MAX = 200 * _MILLISECOND, 60_000 * _MILLISECOND


@contextmanager
def crash(fault: Crash, town: "RealTown") -> Generator[Receipt]:
    """Kill what runs; on exit start a server again (programs have their supervisor)."""
    receipt = Receipt(fault.targets)
    if fault.target in town.deployment.programs:
        label = town.kill(fault.target, town.ground.struck)
        if label:
            receipt.bite("processes killed")
            receipt.say("killed", label)
        yield receipt
        return
    server = town.backend.server(fault.target)
    if server.alive:
        town.servers.kill(server)
        receipt.bite("servers killed")
    try:
        yield receipt
    finally:
        town.servers.start(server)


@contextmanager
def power_loss(fault: PowerLoss, town: "RealTown") -> Generator[Receipt]:
    """Kill the program and take away what it had not synced; on exit it may start again."""
    receipt = Receipt(fault.targets)
    place = town.places[fault.host]
    if place.powered:
        place.powered = False
        label = town.kill(fault.host, town.ground.struck)
        receipt.bite("hosts without power")
        receipt.say("killed", label)
        doors = town.doors[fault.host]
        home, ledger = town.site.data(fault.host), town.site.home(fault.host) / LEDGER
        damage = undo(home, ledger, doors.plan.paths[0][1], town.stream("faults.power"))
        receipt.damage.append(damage)
        for line in damage.lines():
            receipt.say(f"disk {len(receipt.effects)}", line)
    try:
        yield receipt
    finally:
        place.powered = True


@contextmanager
def pause(fault: Pause, town: "RealTown") -> Generator[Receipt]:
    """Stop it where it is; on exit let it go on."""
    receipt = Receipt(fault.targets)
    program = town.living(fault.target)
    if program is not None:
        if not program.paused:
            program.pause()
            receipt.bite("processes paused")
        try:
            yield receipt
        finally:
            program.resume()
        return
    server = town.backend.server(fault.target) if fault.target in town.setting.servers else None
    if server is not None and server.alive:
        server.pause()
        receipt.bite("servers paused")
    try:
        yield receipt
    finally:
        if server is not None:
            server.resume()


@contextmanager
def cut(fault: Cut, town: "RealTown") -> Generator[Receipt]:
    """Hold what the source sends to the target."""
    receipt = Receipt(fault.targets)
    crosses = lambda p: p.source == fault.source and p.target == fault.target  # noqa: E731
    with town.weather.cut(crosses) as tally:
        try:
            yield receipt
        finally:
            if tally.held:
                receipt.bite("messages held", tally.held)


@contextmanager
def isolate(fault: Isolate, town: "RealTown") -> Generator[Receipt]:
    """Hold everything between the hosts and the rest, as far as proxies stand there."""
    receipt = Receipt(fault.targets)
    crosses = lambda p: (p.source in fault.hosts) != (p.target in fault.hosts)  # noqa: E731
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
def disk_error(fault: DiskError, town: "RealTown") -> Generator[Receipt]:
    """Let calls fail until the times are used up or the block ends."""
    with _ruled(fault, town, "calls failed", times=fault.times) as receipt:
        yield receipt


@contextmanager
def disk_full(fault: DiskFull, town: "RealTown") -> Generator[Receipt]:
    """Let files neither grow nor be made."""
    with _ruled(fault, town, "calls without space") as receipt:
        yield receipt


@contextmanager
def slow_disk(fault: SlowDisk, town: "RealTown") -> Generator[Receipt]:
    """Let every sync take longer."""
    with _ruled(fault, town, "slow syncs") as receipt:
        yield receipt


@contextmanager
def _ruled(fault: Fault, town: "RealTown", effect: str, *, times: int = 0) -> Generator[Receipt]:
    receipt = Receipt(fault.targets)
    doors = town.doors[fault.targets[0]]
    rule = doors.rule(fault)
    before = doors.disarm(rule)
    doors.arm(rule, times=times)
    try:
        yield receipt
    finally:
        bites = doors.disarm(rule) - before
        if bites:
            receipt.bite(effect, bites)


@contextmanager
def clock_step(fault: ClockStep, town: "RealTown") -> Generator[Receipt]:
    """Step on entry, step back on exit."""
    receipt = Receipt(fault.targets)
    board = town.doors[fault.host].board
    before = board.clock(Clock.READS)
    by_ns = fault.by_ms * _MILLISECOND
    board.set_clock({Clock.OFFSET: board.clock(Clock.OFFSET) + by_ns})
    try:
        yield receipt
    finally:
        board.set_clock({Clock.OFFSET: board.clock(Clock.OFFSET) - by_ns})
        reads = board.clock(Clock.READS) - before
        if reads:
            receipt.bite("wrong times read", reads)


@contextmanager
def clock_drift(fault: ClockDrift, town: "RealTown") -> Generator[Receipt]:
    """Drift as long as the block lasts; what was gained stays."""
    receipt = Receipt(fault.targets)
    board = town.doors[fault.host].board
    before = board.clock(Clock.READS)
    _drift_by(town, fault.host, fault.ppm * 1000)
    try:
        yield receipt
    finally:
        _drift_by(town, fault.host, -fault.ppm * 1000)
        reads = board.clock(Clock.READS) - before
        if reads:
            receipt.bite("wrong times read", reads)


def _drift_by(town: "RealTown", host: str, ppb: int) -> None:
    board = town.doors[host].board
    now_ns = town.clock.monotonic_ns()
    board.set_clock(
        {
            Clock.GAINED: gained_ns(board, now_ns),
            Clock.SINCE: now_ns,
            Clock.DRIFT_PPB: board.clock(Clock.DRIFT_PPB) + ppb,
        }
    )


@contextmanager
def bit_rot(fault: BitRot, town: "RealTown") -> Generator[Receipt]:
    """Flip a bit of the oldest file that matches; nothing heals it."""
    receipt = Receipt(fault.targets)
    called = town.deployment.data(fault.host)
    prefix = town.site.real_path(fault.host, fault.path, called)
    matching = sorted(prefix.parent.glob(f"{prefix.name}*")) if prefix.parent.is_dir() else []
    if matching and fault.offset < matching[0].stat().st_size:
        was = matching[0].read_bytes()
        now = bytes((was[fault.offset] ^ 1 << fault.bit,))
        with open(matching[0], "r+b") as file:
            file.seek(fault.offset)
            file.write(now)
            file.flush()
            os.fsync(file.fileno())
        where = f"{fault.path.rpartition('/')[0]}/{matching[0].name}"
        before = was[max(fault.offset - CONTEXT, 0) : fault.offset]
        receipt.bite("bits flipped")
        receipt.damage.append(
            Rot(where, fault.offset, before, was[fault.offset : fault.offset + 1], now)
        )
        receipt.say("where", f"{where} offset {fault.offset}")
    yield receipt
