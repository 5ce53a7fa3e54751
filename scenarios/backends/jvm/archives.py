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

from scenarios.backends import kafka_wire, local, ports, started
from scenarios.backends.base import Address
from scenarios.backends.jvm import cassandra, kafka
from scenarios.backends.jvm.cassandra import CassandraServer
from scenarios.backends.jvm.jars import Jars, locked
from scenarios.backends.jvm.kafka import KafkaServer
from scenarios.backends.jvm.server import JvmServer
from scenarios.backends.layout import kafka_id
from scenarios.errors import Infrastructure

HERE = "127.0.0.1"

Say = Callable[[str], None]


def make(jars: Jars, say: Say) -> None:
    """Make what is missing, by running each of the two servers once."""
    if all(path.exists() for path in _wanted(jars)):
        return
    with locked(jars.folder), tempfile.TemporaryDirectory(prefix="wavetank-jvm-") as where:
        if not all(path.exists() for path in _wanted(jars)):
            say("making class-data archives, once: both servers are started and stopped")
            _train(jars, Path(where))


def _wanted(jars: Jars) -> tuple[Path, ...]:
    return (jars.archive("kafka"), jars.archive("cassandra"), jars.folder / kafka.METADATA)


def _train(jars: Jars, folder: Path) -> None:
    broker, node = _broker(folder), _node(folder)
    servers: tuple[JvmServer, ...] = (broker, node)
    for server in servers:
        server.jars = jars
        server.folder.mkdir()
        new = server.folder / "classes.jsa"
        server.flags = (f"-XX:ArchiveClassesAtExit={new}", "-Xlog:cds=off", "-Xlog:cds+dynamic=off")
    _format(jars, broker)
    local.start(servers)
    kafka_wire.warm({1: broker.address}, started.WARM_S, transactions=True)
    with ThreadPoolExecutor(len(servers)) as pool:
        list(pool.map(lambda server: server.terminate(), servers))
    for server, name in ((broker, "kafka"), (node, "cassandra")):
        _keep(server.folder / "classes.jsa", jars.archive(name), server)


def _broker(folder: Path) -> KafkaServer:
    seat = kafka.Seat(1, *(Address(HERE, port) for port in ports.free(3)))
    return KafkaServer(seat, (seat,), kafka_id(uuid.uuid4().hex), folder / seat.name)


def _node(folder: Path) -> CassandraServer:
    seat = cassandra.Seat(1, *(Address(HERE, port) for port in ports.free(2)))
    return CassandraServer(seat, (seat,), folder / seat.name)


def _format(jars: Jars, broker: KafkaServer) -> None:
    """Have Kafka's own tool format the folder, and keep the file that it makes."""
    settings = broker.configure()
    tool = (*kafka.java(jars, "kafka"), "kafka.tools.StorageTool", "format")
    command = (*tool, "-t", broker.cluster, "-c", str(settings))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Infrastructure(f"Kafka's folder could not be formatted: {done.stdout}{done.stderr}")
    assert broker.data is not None
    made = broker.data / "__cluster_metadata-0" / kafka.CHECKPOINT
    _keep(made, jars.folder / kafka.METADATA, broker)


def _keep(made: Path, place: Path, server: JvmServer) -> None:
    """Put a copy of a file in its place at once, or not at all."""
    if not made.exists():
        raise Infrastructure(f"{server.name} made no {place.name}; it said\n{server.tail()}")
    half = place.with_name(place.name + ".new")
    half.write_bytes(made.read_bytes())
    half.rename(place)
