"""What is made once for each set of jars: class-data archives, and the file formatting makes.

A class-data archive is what a Java process, asked to, writes down at its orderly end about the
classes that it loaded. Starting on it takes a third of the time and of the work.
"""

import subprocess
import tempfile
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from scenarios.backends import kafka_wire, ports
from scenarios.backends.base import Address
from scenarios.backends.jvm import cassandra, kafka
from scenarios.backends.jvm.jars import Jars, locked
from scenarios.backends.jvm.server import JvmServer
from scenarios.errors import Infrastructure

HERE = "127.0.0.1"


def make(jars: Jars) -> None:
    """Make what is missing; the two servers are trained at the same time."""
    if _missing(jars):
        with locked(jars.folder), ThreadPoolExecutor(2) as pool:
            for each in [pool.submit(train, jars) for train in _missing(jars)]:
                each.result()


def _missing(jars: Jars) -> list[Callable[[Jars], None]]:
    wanted = {
        jars.archive("kafka"): _train_kafka,
        jars.folder / kafka.METADATA: _train_kafka,
        jars.archive("cassandra"): _train_cassandra,
    }
    return list(dict.fromkeys(train for path, train in wanted.items() if not path.exists()))


def _train_kafka(jars: Jars) -> None:
    clients, brokers, controller = (Address(HERE, port) for port in ports.free(3))
    seat = kafka.Seat(1, clients, brokers, controller)
    with tempfile.TemporaryDirectory(prefix="wavetank-kafka-") as where:
        server = kafka.KafkaServer(seat, (seat,), kafka.identifier(uuid.uuid4().hex), Path(where))
        server.jars = jars
        _format(jars, server)
        _train(jars, server, lambda: kafka_wire.warm(clients, kafka.READY_S))


def _format(jars: Jars, server: kafka.KafkaServer) -> None:
    """Have Kafka's own tool format a folder, and keep the file that it makes."""
    settings = server.configure()
    tool = (*kafka.java(jars, "kafka"), "kafka.tools.StorageTool", "format")
    command = (*tool, "-t", server.cluster, "-c", str(settings))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Infrastructure(f"Kafka's folder could not be formatted: {done.stdout}{done.stderr}")
    assert server.data is not None
    made = server.data / "__cluster_metadata-0" / kafka.CHECKPOINT
    _keep(made, jars.folder / kafka.METADATA)


def _train_cassandra(jars: Jars) -> None:
    clients, storage = (Address(HERE, port) for port in ports.free(2))
    seat = cassandra.Seat(1, clients, storage)
    with tempfile.TemporaryDirectory(prefix="wavetank-cassandra-") as where:
        server = cassandra.CassandraServer(seat, (seat,), Path(where))
        server.jars = jars
        _train(jars, server, server.wait_until_joined)


def _train(jars: Jars, server: JvmServer, exercise: Callable[[], None]) -> None:
    name = server.role if server.role == "kafka" else "cassandra"
    new = server.folder / "classes.jsa"
    server.flags = (f"-XX:ArchiveClassesAtExit={new}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
    try:
        server.start()
        exercise()
        server.terminate()
    finally:
        server.kill()
    if not new.exists():
        raise Infrastructure(f"{server.name} wrote no class-data archive:\n{server.tail()}")
    _keep(new, jars.archive(name))


def _keep(made: Path, place: Path) -> None:
    """Put a copy of a file in its place at once, or not at all."""
    half = place.with_name(place.name + ".new")
    half.write_bytes(made.read_bytes())
    half.rename(place)
