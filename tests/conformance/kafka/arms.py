"""The two arms: a broker of ours and one of Apache Kafka, each a process alone with its data."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from scenarios.backends import kafka_wire, ports, started
from scenarios.backends.base import Address
from scenarios.backends.jvm import archives, jars
from scenarios.backends.jvm.kafka import KafkaServer, Seat
from scenarios.backends.layout import kafka_id
from tests.sim.tcp.kafka.served import Served

OURS, REAL = "ours", "real"

# Both arms: groups do not wait for more members, sessions may be short, retention is often looked
# at; where DeleteRecords let a log start is not noted between two requests of a test.
_SETTINGS = {
    "group_initial_rebalance_delay_ms": 0,
    "group_min_session_timeout_ms": 500,
    "log_retention_check_ms": 500,
}

# What the jvm back end sets otherwise than Kafka's defaults, which are what our brokers have.
_BACK_TO_DEFAULTS = (
    "log.retention.ms",
    "log.message.timestamp",
    "log.segment.bytes",
    "log.index.size",
    "unclean.leader",
)

_OFTEN = (
    "log.retention.check.interval.ms=500",
    "log.flush.start.offset.checkpoint.interval.ms=86400000",
)


class Arm(NamedTuple):
    """A broker to talk to, and how to kill it and start it again."""

    name: str
    version: str
    port: int
    restart: Callable[[], None]


class _Default(KafkaServer):
    """A node whose topics have Kafka's own defaults."""

    def configure(self) -> Path:
        path = super().configure()
        lines = path.read_text().splitlines()
        lines = [line for line in lines if not line.startswith(_BACK_TO_DEFAULTS)]
        path.write_text("\n".join([*lines, *_OFTEN, ""]))
        return path


@contextmanager
def ours(folder: Path) -> Generator[Arm]:
    """Run a broker of ours."""
    with Served(folder / "ours", settings=_SETTINGS) as served:

        def restart() -> None:
            served.kill()
            served.start()

        yield Arm(OURS, "", served.ready["port"], restart)


@contextmanager
def real(folder: Path) -> Generator[Arm]:
    """Run a broker of Apache Kafka, which has made its internal topics; `Infrastructure` if not."""
    found = jars.fetch(lambda _: None)
    archives.make(found, lambda _: None)
    addresses = [Address("127.0.0.1", port) for port in ports.free(3)]
    seat = Seat(1, *addresses)
    server = _Default(seat, [seat], kafka_id("c0" * 16), folder / "real")
    server.jars = found

    def restart() -> None:
        server.kill()
        server.start()

    try:
        server.start()
        kafka_wire.warm({1: server.address}, started.WARM_S, transactions=False)
        yield Arm(REAL, jars.versions()["kafka"], server.address.port, restart)
    finally:
        server.terminate(10)


ARMS = {OURS: ours, REAL: real}
