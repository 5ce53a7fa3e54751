"""The smallest world in which every fault finds something to harm, and gauges that show it."""

import math
import os
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from random import Random
from typing import Any

from sim.connection import End
from sim.disk import Disk
from sim.doors.install import attend
from sim.kafka.cluster.cluster import Cluster
from sim.kafka.cluster.image import Node
from sim.kernel import SECOND
from sim.machine import Effects, Send
from sim.world import World

FILE = "/var/lib/log"
NEVER = math.inf


@dataclass(frozen=True, slots=True)
class Call:
    """A message of any kind."""

    kind: str

    def fingerprint(self) -> bytes:
        return self.kind.encode()


class Echo:
    """Answers ``X`` with ``XResponse``, ``EXECUTE`` with ``RESULT``, bytes with bytes."""

    def started(self, now_ns: int) -> Effects:
        return ()

    def crashed(self, *, power_loss: bool) -> None:
        return

    def connected(self, now_ns: int, connection: int, peer: str) -> Effects:
        return ()

    def dialled(self, now_ns: int, tag: Hashable, connection: int | None) -> Effects:
        return ()

    def received(self, now_ns: int, connection: int, message: Any) -> Effects:
        if type(message) is bytes:
            return (Send(connection, message),)  # type: ignore[arg-type]
        kind = "RESULT" if message.kind == "EXECUTE" else f"{message.kind}Response"
        return (Send(connection, Call(kind)),)

    def disconnected(self, now_ns: int, connection: int) -> Effects:
        return ()

    def fired(self, now_ns: int, key: Hashable) -> Effects:
        return ()


class Pond:
    """Host ``a`` with a disk and a program ``pen`` that never rests; host ``b`` with an echo."""

    def __init__(self) -> None:
        self.world = World(1)
        self.kernel = self.world.kernel
        self.kernel.births.append(attend)
        self.world.add_host("a", disk=Disk("posix", Random(1)))
        self.world.add_host("b")
        self.world.add_server("b", Echo(), 80, "echo").start()
        cluster = Cluster([Node(1, "kafka-1", 9092)], Random(1))
        self.world.add_host("kafka-1")
        (self.broker,) = cluster.brokers.values()
        self.world.add_server("kafka-1", self.broker, 9092, "kafka").start()
        cluster.create_topic("t", 1)
        self.cluster = cluster
        self.strokes = 0
        self.write_anew()
        self.start_pen()

    def write_anew(self) -> None:
        """Put the log there as if written long ago."""
        disk = self.world.hosts["a"].disk
        assert disk is not None
        disk.put(FILE, b"s" * 1000)

    def start_pen(self) -> None:
        """Start the program that never rests, as its supervisor would."""
        self.world.hosts["a"].launch("pen", self._scribble)

    def _scribble(self) -> None:
        while True:
            time.sleep(0.01)
            self.strokes += 1

    def pass_time(self, seconds: float = 1.0) -> None:
        self.kernel.run(self.kernel.now + int(seconds * SECOND))

    def run(self, body: Callable[[], Any]) -> Any:
        """Run a program on ``a`` to its end; return what it returned, or the error's number."""
        found: list[Any] = []

        def main() -> None:
            try:
                found.append(body())
            except OSError as error:
                found.append(f"errno {error.errno}")

        process = self.world.hosts["a"].launch("hand", main)
        end = self.kernel.now + 100 * SECOND
        self.kernel.run(lambda: not process.alive or self.kernel.now > end)
        return found[0]


# --- gauges: each does something ordinary and returns what it was like -------------------------


def strokes(pond: Pond) -> Any:
    """How far ``pen`` gets in a second."""
    before = pond.strokes
    pond.pass_time(1)
    return pond.strokes - before


def file_call(door: str) -> Callable[[Pond], Any]:
    """What comes of a call at `door`."""

    def call() -> Any:
        number = os.open(FILE, os.O_RDWR)
        try:
            match door:
                case "os.write":
                    return os.write(number, b"n")
                case "os.read":
                    return len(os.read(number, 4))
                case "os.fsync":
                    return os.fsync(number)
        finally:
            os.close(number)
        os.rename(FILE, FILE + ".new")
        return os.rename(FILE + ".new", FILE)

    return lambda pond: pond.run(call)


def growing(pond: Pond) -> Any:
    """Whether a file can grow."""

    def grow() -> int:
        with open("/var/lib/growing", "ab", buffering=0) as file:
            return file.write(b"more")

    return pond.run(grow)


def sync_seconds(pond: Pond) -> Any:
    """How long a sync takes, rounded to seconds."""

    def sync() -> int:
        with open(FILE, "r+b", buffering=0) as file:
            file.write(b"n")
            began = time.monotonic()
            os.fsync(file.fileno())
            return round(time.monotonic() - began)

    return pond.run(sync)


def wall_error(pond: Pond) -> Any:
    """By how many seconds the clock of ``a`` is wrong."""
    told: float = pond.run(time.time)
    true = (pond.world.epoch_ns + pond.kernel.now) / SECOND
    return round(told - true)


def gained(pond: Pond) -> Any:
    """How many milliseconds the clock of ``a`` gains in a true second."""
    began: float = pond.run(time.time)
    true_began = pond.kernel.now
    pond.pass_time(1)
    elapsed = pond.run(time.time) - began
    return round(1000 * (elapsed - (pond.kernel.now - true_began) / SECOND))


def unsynced(pond: Pond) -> Any:
    """Whether ``a`` keeps what a program wrote and did not sync; None without power."""
    host = pond.world.hosts["a"]
    if not host.powered or host.disk is None:
        return None
    return host.disk.cached(FILE) is not None


def content(pond: Pond) -> Any:
    """What the log holds."""
    disk = pond.world.hosts["a"].disk
    assert disk is not None
    return disk.cached(FILE)


def answer(kind: str = "bytes", times: int = 1) -> Callable[[Pond], Any]:
    """How many of `times` messages ``b`` answers within half a second each."""

    def ask(pond: Pond) -> Any:
        return sum(_round_trip(pond, kind, 0.5) != NEVER for _ in range(times))

    return ask


def slowest(pond: Pond) -> Any:
    """Whether one of 30 answers took longer than 100 ms; all must come."""
    trips = [_round_trip(pond, "bytes", 60) for _ in range(30)]
    assert NEVER not in trips
    return max(trips) > 0.1


def _round_trip(pond: Pond, kind: str, patience: float) -> float:
    message: Any = b"hello" if kind == "bytes" else Call(kind)
    came: list[int] = []
    pen = pond.world.living("pen")
    assert pen is not None

    def connected(end: End) -> None:
        end.on_message = lambda _: came.append(pond.kernel.now)
        end.send(message, 100)

    began = pond.kernel.now
    pond.world.network.connect("a", "b", 80, connected, lambda _: None, pen)
    limit = began + int(patience * SECOND)
    pond.kernel.run(lambda: bool(came) or pond.kernel.now >= limit)
    return (came[0] - began) / SECOND if came else NEVER


def produces_slowly(pond: Pond) -> Any:
    """Whether it takes seconds to produce ten records of 1000 bytes, one by one."""

    def produce() -> bool:
        from confluent_kafka import Producer  # noqa: PLC0415

        producer = Producer({"bootstrap.servers": "kafka-1:9092", "linger.ms": 0})
        began = time.monotonic()
        for _ in range(10):
            producer.produce("t", b"x" * 1000)
            producer.flush()
        return time.monotonic() - began > 5

    return pond.run(produce)


def refusals(pond: Pond) -> Any:
    """What became of three records that are sent once each, one by one."""

    def produce() -> list[str]:
        from confluent_kafka import Producer  # noqa: PLC0415

        told: list[str] = []
        producer = Producer({"bootstrap.servers": "kafka-1:9092", "acks": "all", "retries": 0})
        for _ in range(3):
            producer.produce("t", b"x", on_delivery=lambda e, _: told.append(e.name() if e else ""))
            producer.flush()
        return told

    return pond.run(produce)


def read_back(pond: Pond) -> Any:
    """What a consumer reads of three records that were acknowledged, by offset."""
    first = pond.cluster.end_offset("t", 0)

    def body() -> list[tuple[int, bytes | None]]:
        from confluent_kafka import Consumer, Producer, TopicPartition  # noqa: PLC0415

        producer = Producer({"bootstrap.servers": "kafka-1:9092", "linger.ms": 5})
        for n in range(3):
            producer.produce("t", b"%d" % n)
        assert producer.flush(5) == 0
        consumer = Consumer({"bootstrap.servers": "kafka-1:9092", "group.id": "g"})
        consumer.assign([TopicPartition("t", 0, first)])
        found = [(m.offset() or 0, m.value()) for m in consumer.consume(3, 2)]
        consumer.close()
        return [(offset - first, value) for offset, value in found]

    return pond.run(body)


def serving(pond: Pond) -> Any:
    """Whether the server on ``b`` runs."""
    server = pond.world.server("b")
    return server.alive and not server.paused
