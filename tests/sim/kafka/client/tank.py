"""A Kafka cluster and programs that use it, in one world."""

import contextlib
from collections.abc import Callable, Generator
from random import Random
from typing import Any

from sim.doors.install import attend
from sim.kafka.cluster.cluster import Cluster
from sim.kafka.cluster.image import Node
from sim.kafka.cluster.settings import Settings
from sim.kernel import SECOND
from sim.packet import Delay, Packet, Sever
from sim.process import Process, current
from sim.world import World


def now() -> float:
    """Return the seconds since the world began."""
    thread = current()
    assert thread is not None
    return thread.process.kernel.now / SECOND


def sleep(seconds: float) -> None:
    """Block the calling simulated thread."""
    thread = current()
    assert thread is not None
    thread.process.kernel.sleep(int(seconds * SECOND))


class Tank:
    """Brokers kafka-1 ..., a host for programs, and hands to break things."""

    def __init__(
        self,
        topics: dict[str, int],
        *,
        seed: int = 1,
        brokers: int = 1,
        config: dict[str, str] | None = None,
        keep_trace: bool = False,
    ) -> None:
        self.world = World(seed, keep_trace=keep_trace)
        self.kernel = self.world.kernel
        self.kernel.births.append(attend)
        nodes = [Node(n, f"kafka-{n}", 9092) for n in range(1, brokers + 1)]
        settings = Settings(group_initial_rebalance_delay_ms=0)
        self.cluster = Cluster(nodes, Random(seed), settings)
        for host, broker in self.cluster.brokers.items():
            self.world.add_host(host)
            self.world.add_server(host, broker, 9092, "kafka").start()
        for topic, partitions in topics.items():
            self.cluster.create_topic(topic, partitions, config)
        self.world.add_host("app-1")
        self.servers = ",".join(f"{node.host}:9092" for node in nodes)
        self.results: dict[str, Any] = {}

    def launch(self, body: Callable[[], Any], *, name: str = "app", at: float = 0) -> None:
        """Start a program `at` seconds from now."""

        def main() -> int:
            self.results[name] = body()
            return 0

        self.results.pop(name, None)
        self.kernel.after(int(at * SECOND), self.world.hosts["app-1"].launch, name, main)

    def finish(self, *names: str, limit: float = 3600) -> Any:
        """Run until these programs have ended well; return what the first returned."""
        end = self.kernel.now + int(limit * SECOND)
        self.kernel.run(lambda: self.kernel.now > end or all(map(self._over, names)))
        for name in names:
            process = self.process(name)
            assert process.exit_code == 0, (name, process.exit_code, process.stderr)
        return self.results[names[0]]

    def run(self, body: Callable[[], Any], limit: float = 3600) -> Any:
        """Run one program to its end."""
        self.launch(body)
        return self.finish("app", limit=limit)

    def process(self, name: str = "app") -> Process:
        """Return the last incarnation of a program."""
        return self.world.processes(name)[-1]

    def after(self, seconds: float, function: Callable[..., Any], *args: Any) -> None:
        """Call from the loop, `seconds` from now."""
        self.kernel.after(int(seconds * SECOND), function, *args)

    def fill(self, topic: str, count: int) -> None:
        """Write `count` records, ``b"0"`` ..., with keys alike, as an earlier program."""
        from confluent_kafka import Producer  # noqa: PLC0415

        def body() -> None:
            producer = Producer(self.conf())
            for n in range(count):
                producer.produce(topic, b"%d" % n, b"%d" % n)
            producer.flush()

        self.launch(body, name="filler")
        self.finish("filler")

    def conf(self, **more: Any) -> dict[str, Any]:
        """Return a configuration; underscores stand for dots, but for callbacks."""
        plain = {"error_cb", "on_commit", "on_delivery", "throttle_cb"}
        named = {k if k in plain else k.replace("_", "."): v for k, v in more.items()}
        return {"bootstrap.servers": self.servers, **named}

    def values(self, topic: str, partition: int = 0) -> list[bytes | None]:
        """Return the values in a partition's log."""
        return [record.value for record in self.cluster.log(topic, partition)]

    @contextlib.contextmanager
    def losing(self, kind: str, count: int = 1) -> Generator[list[int]]:
        """Lose the next messages of a kind, and their connections with them."""
        left = [count]

        def rule(packet: Packet) -> type[Sever] | None:
            if packet.kind != kind or not left[0]:
                return None
            left[0] -= 1
            return Sever

        with self.world.network.rule(rule):
            yield left

    @contextlib.contextmanager
    def delaying(self, kind: str, seconds: float) -> Generator[None]:
        """Let messages of a kind arrive late."""
        delay = Delay(int(seconds * SECOND))
        with self.world.network.rule(lambda packet: delay if packet.kind == kind else None):
            yield

    def crash_broker(self, host: str, *, at: float, lasts: float) -> None:
        """Kill a broker `at` seconds from now, start it again after `lasts`."""
        server = self.world.server(host)
        self.after(at, server.crash)
        self.after(at + lasts, server.start)

    def _over(self, name: str) -> bool:
        found = self.world.processes(name)
        return bool(found) and not found[-1].alive
