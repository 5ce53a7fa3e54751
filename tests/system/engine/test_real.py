"""The engine on real Kafka, killed and started again while orders come in."""

import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from scenarios.backends.jvm.backend import Jvm
from system import setup
from system.config import Kafka, Topics
from system.database import Scylla
from system.engine.matching import Market
from system.records import ORDERS, OUTPUTS, decode_output, encode
from system.topics import PARTITIONER, key_of, partition_of
from tests.system.engine.flow import source, stream
from tests.system.small_kafka import PARTITIONS

missing = [tool for tool in ("java", "mvn") if shutil.which(tool) is None]
pytestmark = pytest.mark.skipif(
    bool(missing), reason=f"the jvm back end needs {' and '.join(missing)} on PATH"
)

HOME = partition_of(key_of(1), PARTITIONS)
LIVES, PER_LIFE = 5, 4_000

CONFIG = """
[kafka]
bootstrap = "{bootstrap}"
[topics]
replication = 1
min_insync = 1
[engine]
data = "{data}"
snapshot_every = 3000
"""


def program(name: str, config: Path) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", "system", name, "--config", str(config)])


def published(bootstrap: str, wanted: int) -> list[bytes]:
    """Return each output once, in order; copies must be copies."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "test"})
    consumer.assign([TopicPartition(OUTPUTS, HOME, 0)])
    kept: list[bytes] = []
    deadline_s = time.monotonic() + 60
    while len(kept) < wanted and time.monotonic() < deadline_s:
        for message in consumer.consume(1_000, timeout=1):
            value = message.value() or b""
            number = decode_output(value).output_seq
            if number == len(kept) + 1:
                kept.append(value)
            elif number <= len(kept):
                assert kept[number - 1] == value
    consumer.close()
    return kept


@pytest.mark.real
def test_a_killed_engine_goes_on_as_if_it_had_lived(tmp_path: Path) -> None:
    records = stream(random.Random(1), LIVES * PER_LIFE, users=50, prices=40)
    config, chance = tmp_path / "engine.toml", random.Random(2)
    with Jvm(tmp_path / "jvm", brokers=1, nodes=1) as backend:
        kafka = Kafka(bootstrap=backend.bootstrap)
        topics = Topics(replication=1, min_insync=1)
        scylla = Scylla(contact_points=("unused",))
        setup.Setup(setup.Settings(kafka=kafka, scylla=scylla, topics=topics)).create_topics()
        config.write_text(CONFIG.format(bootstrap=backend.bootstrap, data=tmp_path / "data"))
        assert program("init", config).wait(30) == 0
        producer = Producer(
            {"bootstrap.servers": backend.bootstrap, "partitioner": PARTITIONER, "acks": "all"}
        )
        engine = program("engine", config)
        for life in range(LIVES):
            for record in records[life * PER_LIFE : (life + 1) * PER_LIFE]:
                producer.produce(ORDERS, encode(record), key_of(1))
            assert producer.flush(30) == 0
            if life < LIVES - 1:
                time.sleep(chance.uniform(0.5, 2.5))
                engine.kill()
                engine.wait()
                engine = program("engine", config)
        found = published(backend.bootstrap, len(records))
        engine.terminate()
        assert engine.wait(30) == 0

    market = Market(1)
    expected = [market.apply(record, source(n, HOME)).value for n, record in enumerate(records)]
    assert found == expected
