"""The programs with the real librdkafka and our brokers on TCP, as JSON; in its own interpreter."""

import json
import sys
from typing import Any

from sim.kafka.cluster.settings import Settings
from tests.conformance.kafka.asked import Watch
from tests.conformance.kafka.played import PROGRAMS, TOPICS
from tests.sim.kafka.cluster.on_tcp import TcpCluster

_BROKER = "127.0.0.1"


class _Hands:
    def __init__(self, world: TcpCluster) -> None:
        self._world = world

    def lose_answer(self) -> None:
        self._world.lose += 1

    def restart(self, after_s: float) -> None:
        self._world.withheld = False
        self._world.restart(_BROKER, after_s)

    def withhold_answers(self) -> None:
        self._world.withheld = True


def run(name: str) -> dict[str, Any]:
    """Run one program; return what it saw and what the broker was asked."""
    world = TcpCluster(Settings(group_initial_rebalance_delay_ms=0), brokers=1)
    for topic, partitions in TOPICS.items():
        world.cluster.create_topic(topic, partitions)
    watch = Watch(world.cluster.brokers[_BROKER])
    conf = {"bootstrap.servers": world.bootstrap, "log_level": 0}
    return {"seen": PROGRAMS[name](conf, _Hands(world)), "asked": watch.asked}


if __name__ == "__main__":
    for name in sys.argv[1:] or PROGRAMS:
        print(json.dumps([name, run(name)]), flush=True)
