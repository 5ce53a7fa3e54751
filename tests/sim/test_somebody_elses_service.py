"""A service that was not written for this project runs in the world as it stands."""

import signal
from random import Random

from sim.disk import Disk
from sim.doors.bodies import Body, inhabit
from sim.doors.signals import deliver_signal
from sim.kernel import SECOND
from sim.process import Process
from tests.sim.kafka.client.tank import Tank

SERVICE = "tests.sim.services.audit_copier"
COUNT = 30


class Office:
    """Brokers, a disk, and instances of the service, each in a body of its own."""

    def __init__(self, seed: int) -> None:
        self.tank = Tank({"t": 2, "copies": 1, "others": 1}, seed=seed, brokers=3)
        self.kernel = self.tank.kernel
        self.host = self.tank.world.hosts["app-1"]
        self.host.disk = Disk("posix", Random(seed))

    def start(self, into: str, body: Body) -> Process:
        def main() -> int:
            arguments = ["--servers", self.tank.servers, "--folder", f"/var/{into}"]
            code: int = body.get(f"{SERVICE}:main")([*arguments, "--into", into])
            return code

        process = self.host.launch(into, main)
        inhabit(process, body)
        return process

    def run(self, seconds: float) -> None:
        until = self.kernel.now + int(seconds * SECOND)
        self.kernel.run(lambda: self.kernel.now >= until)

    def copies(self, topic: str) -> set[bytes]:
        return {(value or b"").split()[-1] for value in self.tank.values(topic)}


def _life(seed: int) -> tuple[str, set[bytes], str]:
    """Crash the service, start it again, end it by a signal; return what it left."""
    office = Office(seed)
    body = Body((SERVICE,), (SERVICE,))
    first = office.start("copies", body)
    office.run(8)
    office.tank.fill("t", COUNT)
    office.run(0.05)
    office.kernel.kill(first)
    assert body.changed()
    body.reset()
    office.run(1)
    second = office.start("copies", body)
    office.run(120)
    deliver_signal(second, signal.SIGTERM)
    office.run(30)
    assert second.exit_code == 0, second.stderr
    digest, told = office.kernel.trace.digest(), "\n".join(second.stderr)
    assert office.host.disk is not None
    files = list(office.host.disk.cached_files("/var/copies"))
    assert any("audit.1.log" in path for path in files), files
    assert any("rotated" in path for path in files), files
    copies = office.copies("copies")
    office.tank.world.close()
    return digest, copies, told


def test_it_survives_a_crash_and_two_runs_are_one() -> None:
    digest, copies, told = _life(1)

    assert digest == _life(1)[0] != _life(2)[0]
    assert copies <= {b"%d" % n for n in range(COUNT)}
    assert copies
    assert "started with 0 seen" in told, "nothing of the first life's globals"
    assert "bye after" in told


def test_two_instances_do_not_see_each_other() -> None:
    office = Office(3)
    bodies = [Body((SERVICE,), (SERVICE,)) for _ in range(2)]
    processes = [office.start(t, b) for t, b in zip(("copies", "others"), bodies, strict=True)]
    office.tank.fill("t", COUNT)
    office.run(60)

    everything = {b"%d" % n for n in range(COUNT)}
    assert office.copies("copies") == office.copies("others") == everything
    assert [body.get(f"{SERVICE}:written") for body in bodies] == [COUNT, COUNT]
    for process in processes:
        deliver_signal(process, signal.SIGTERM)
    office.run(30)
    assert [process.exit_code for process in processes] == [0, 0]
    office.tank.world.close()
