"""Harm to processes: killed, stopped, without power, told other settings."""

import signal
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from scenarios.backends.base import Ability
from scenarios.redeploy import Redeploy
from scenarios.stages.real.counterpart import Counterparts, door, hit
from scenarios.stages.real.doors import LEDGER
from scenarios.stages.real.power import undo
from sim.faults import Crash, Pause, PowerLoss, Receipt

if TYPE_CHECKING:
    from scenarios.stages.real.town import RealTown

_LOOK = 50_000_000


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
def redeploy(fault: Redeploy, town: "RealTown") -> Generator[Receipt]:
    """Begin with the first program; the others follow, each when the one before runs again."""
    receipt = Receipt(fault.targets)
    _redeploy_next(fault, town, receipt, list(fault.programs))
    yield receipt


def _redeploy_next(fault: Redeploy, town: "RealTown", receipt: Receipt, left: list[str]) -> None:
    if not left:
        return
    name = left.pop(0)
    path = town.site.config(name)
    town.site.write_config(name, fault.told(path.read_bytes()).decode())
    receipt.bite("programs told")
    before = town.living(name)
    if before is not None:
        before.send(signal.SIGTERM)

    def look() -> None:
        now = town.living(name)
        if now is None or now is before:
            town.clock.after(_LOOK, look)
        else:
            _redeploy_next(fault, town, receipt, left)

    town.clock.after(_LOOK, look)


COUNTERPARTS: Counterparts = {
    Crash: hit("SIGKILL; a server is started again", Ability.KILL, crash),
    Pause: hit("SIGSTOP, then SIGCONT", Ability.PAUSE, pause),
    PowerLoss: door("SIGKILL, then what doors saw no sync of goes", power_loss),
    Redeploy: door("its file is written anew, and SIGTERM", redeploy),
}
