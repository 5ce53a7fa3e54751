"""The ground of a plan: which torn write a moment was, on which host."""

from scenarios.stages.ground import SimulatedGround
from sim.disk import Disk, Interrupted
from sim.moments import Moment
from sim.world import World


def test_a_torn_write_is_told_once_and_not_for_another_host() -> None:
    world = World(1)
    for name in ("a", "b"):
        world.add_host(name, disk=Disk("posix"))
    ground = SimulatedGround(world)
    disk = world.hosts["a"].disk
    assert disk is not None
    disk.interrupted.append(Interrupted(path="/log", call="os.write", offset=0, done=1, asked=2))

    told = [ground.torn(Moment(host, "os.write")) for host in ("a", "a", "b")]

    world.close()
    assert told == [disk.interrupted[0], None, None]
