"""The engine in a simulated world: unchanged, killed and left without power, it goes on."""

from random import Random

import pytest

from sim.disk import Disk
from sim.doors.bodies import Pool, inhabit
from sim.kernel import SECOND
from sim.process import Process
from system.engine.matching import Market
from system.records import ORDERS, OUTPUTS, Validated, decode_output, encode
from system.topics import PARTITIONER, key_of, partition_of
from tests.sim.kafka.client.tank import Tank
from tests.system.engine.flow import source, stream
from tests.system.small_kafka import PARTITIONS

HOME = partition_of(key_of(1), PARTITIONS)
LIVES, PER_LIFE = 4, 60
CONFIG = """
[kafka]
bootstrap = "{servers}"
delivery_timeout_ms = 2000
[engine]
data = "/var/lib/engine"
snapshot_every = 25
idle_ms = 200
"""

pool = Pool(("system",))


class Hall:
    """One host with an engine, and a broker."""

    def __init__(self, seed: int) -> None:
        config = {"message.timestamp.type": "LogAppendTime"}
        topics = {ORDERS: PARTITIONS, OUTPUTS: PARTITIONS}
        self.tank = Tank(topics, seed=seed, config=config)
        self.host = self.tank.world.hosts["app-1"]
        self.host.disk = Disk("posix", Random(seed))
        text = CONFIG.format(servers=self.tank.servers)
        self.host.disk.put("/etc/engine.toml", text.encode())

    def start(self, program: str) -> Process:
        body = pool.take("system.launch", program.partition(":")[0])
        main = body.get("system.launch:main")
        process = self.host.launch("engine", lambda: main(body.get(program), "/etc/engine.toml"))
        inhabit(process, body)
        return process

    def run(self, seconds: float) -> None:
        until = self.tank.kernel.now + int(seconds * SECOND)
        self.tank.kernel.run(lambda: self.tank.kernel.now >= until)

    def send(self, records: list[Validated]) -> None:
        from confluent_kafka import Producer  # noqa: PLC0415

        def body() -> None:
            producer = Producer(self.tank.conf(partitioner=PARTITIONER, acks="all"))
            for record in records:
                producer.produce(ORDERS, encode(record), key_of(1))
            producer.flush()

        self.tank.launch(body, name="sender")
        self.tank.finish("sender")

    def outputs(self) -> list[bytes]:
        """Return each output once, in order; copies must be copies."""
        kept: list[bytes] = []
        for value in self.tank.values(OUTPUTS, HOME):
            assert value is not None
            number = decode_output(value).output_seq
            if number == len(kept) + 1:
                kept.append(value)
            elif number <= len(kept):
                assert kept[number - 1] == value
        return kept


@pytest.mark.parametrize("power_loss", [False, True])
def test_it_goes_on_as_if_it_had_lived(power_loss: bool) -> None:
    hall, chance = Hall(1), Random(2)
    records = stream(Random(3), LIVES * PER_LIFE)
    init = hall.start("system.engine.init:Init")
    hall.run(5)
    assert init.exit_code == 0, init.stderr

    for life in range(LIVES):
        engine = hall.start("system.engine:Engine")
        hall.run(chance.uniform(0.1, 3))
        hall.send(records[life * PER_LIFE : (life + 1) * PER_LIFE])
        hall.run(chance.uniform(0, 0.1))
        if power_loss:
            hall.host.lose_power()
            hall.host.boot()
        else:
            hall.tank.kernel.kill(engine)
        hall.run(1)
    engine = hall.start("system.engine:Engine")
    hall.run(30)

    assert engine.alive, engine.stderr
    assert hall.host.disk is not None
    assert any("snapshot-" in path for path in hall.host.disk.durable_files("/var/lib/engine"))
    market = Market(1)
    assert hall.outputs() == [
        market.apply(record, source(n, HOME)).value for n, record in enumerate(records)
    ]
    hall.tank.world.close()
