"""The door to Kafka: the same surface as the C module, the wheel's layers on top, real outside."""

import ast
import asyncio
import inspect
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import confluent_kafka
import pytest
from confluent_kafka import (
    Consumer,
    ConsumerGroupTopicPartitions,
    DeserializingConsumer,
    KafkaException,
    Producer,
    SerializingProducer,
    ShareConsumer,
    TopicCollection,
    TopicPartition,
    cimpl,
)
from confluent_kafka.admin import AdminClient
from confluent_kafka.admin._config import AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin._listoffsets import LatestSpec
from confluent_kafka.aio import AIOConsumer, AIOProducer
from confluent_kafka.cimpl import NewPartitions, NewTopic
from confluent_kafka.serialization import StringDeserializer, StringSerializer

from sim.errors import SimulationError, Unmodelled
from sim.kafka.client.wheel import real
from tests.sim.kafka.client.tank import Tank, now

STUB = Path(confluent_kafka.__file__).with_name("cimpl.pyi")


@pytest.fixture
def tank() -> Generator[Tank]:
    tank = Tank({"t": 2}, brokers=2)
    yield tank
    tank.world.close()


def classes() -> dict[str, ast.ClassDef]:
    tree = ast.parse(STUB.read_text(encoding="utf-8"))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def methods(name: str) -> dict[str, list[ast.FunctionDef]]:
    found: dict[str, list[ast.FunctionDef]] = {}
    for node in classes()[name].body:
        if isinstance(node, ast.FunctionDef):
            found.setdefault(node.name, []).append(node)
    return found


def parameters(node: ast.FunctionDef) -> list[tuple[str, Any]]:
    plain = node.args.posonlyargs + node.args.args
    gaps = [inspect.Parameter.empty] * (len(plain) - len(node.args.defaults))
    defaults = [*gaps, *(ast.literal_eval(default) for default in node.args.defaults)]
    return [(arg.arg, default) for arg, default in zip(plain, defaults, strict=True)][1:]


# The stub has these in another order than the wheel calls them in.
NAMED_ONLY = {("_AdminClientImpl", "describe_topics")}


@pytest.mark.parametrize("name", ["Producer", "Consumer", "_AdminClientImpl"])
def test_stand_ins_have_every_method_of_the_real_class_with_its_signature(name: str) -> None:
    stand_in = getattr(cimpl, name)
    for method, overloads in methods(name).items():
        assert hasattr(stand_in, method), method
        if method.startswith("__") or len(overloads) > 1:
            continue
        mine = list(inspect.signature(getattr(stand_in, method)).parameters.values())[1:]
        want = parameters(overloads[0])
        have = [(p.name, p.default) for p in mine]
        if (name, method) in NAMED_ONLY:
            want, have = sorted(want, key=str), sorted(have, key=str)
        callbacks = {"on_assign", "on_revoke", "on_lost"}  # an explicit None is an error there
        assert [h for h in have if h[0] not in callbacks] == [
            w for w in want if w[0] not in callbacks
        ], method
    public = {n for n in dir(getattr(real, name)) if not n.startswith("_")}
    assert public - set(dir(stand_in)) == set()


def test_the_module_has_every_name_of_the_real_one() -> None:
    dunders = {"__file__", "__loader__", "__spec__", "__name__"}
    assert set(dir(real)) - dunders <= set(dir(cimpl))
    replaced = {
        n for n in dir(real) if not n.startswith("__") and getattr(cimpl, n) is not getattr(real, n)
    }
    assert replaced == {
        "Consumer",
        "Producer",
        "ShareConsumer",
        "TopicPartition",
        "_AdminClientImpl",
    }


def observe(call: Callable[[], Any]) -> Any:
    try:
        return repr(call())
    except Exception as error:  # noqa: BLE001
        return type(error), str(error)


CASES: list[Callable[[Any], Any]] = [
    lambda t: t("t", 1, 5, "m", 3),
    lambda t: t(topic="t", partition=2),
    lambda t: t("t", leader_epoch=-5),
    lambda t: t(1),
    lambda t: t("t", "x"),
    lambda t: t("t", 1, 2, 3),
    lambda t: t("t", 2**40),
    lambda t: t("t", 1) == t("t", 1, 9),
    lambda t: t("t", 1) != t("t", 2),
    lambda t: t("t", 1) < t("u"),
    lambda t: t("t", 1) >= t("t", 1),
    lambda t: t("t") == 1,
    lambda t: hash(t("t", 7)) == hash("t") ^ 7,
    lambda t: sorted([t("b", 1), t("a", 2), t("a", 1)]),
    lambda t: setattr(t("t"), "offset", 7),
    lambda t: t("t", 1, 2, "m").metadata,
    lambda t: t("t").leader_epoch,
]


@pytest.mark.parametrize("case", CASES)
def test_a_topic_partition_behaves_as_the_real_one(tank: Tank, case: Callable[[Any], Any]) -> None:
    expected = observe(lambda: case(real.TopicPartition))
    assert tank.run(lambda: observe(lambda: case(TopicPartition))) == expected


BAD: list[tuple[str, Callable[[Any], Any]]] = [
    ("Producer", lambda p: p.produce("t", 1)),
    ("Producer", lambda p: p.produce("t", bytearray())),
    ("Producer", lambda p: p.produce("t", b"", memoryview(b""))),
    ("Producer", lambda p: p.produce(None)),
    ("Producer", lambda p: p.produce("t", partition=None)),
    ("Producer", lambda p: p.produce("t", partition=2**40)),
    ("Producer", lambda p: p.produce("t", timestamp=None)),
    ("Producer", lambda p: p.produce("t", headers=5)),
    ("Producer", lambda p: p.produce("t", headers={"a": 1})),
    ("Producer", lambda p: p.produce("t", headers=[("a",)])),
    ("Producer", lambda p: p.produce("t", headers=(("a", b"b"),))),
    ("Producer", lambda p: p.produce("t", b"x" * 2_000_000)),
    ("Producer", lambda p: p.produce("t", headers=[("a", "b"), ("c", None)], key="é")),
    ("Producer", lambda p: p.poll(None)),
    ("Producer", lambda p: p.flush("x")),
    ("Producer", lambda p: p.produce_batch("t", "x")),
    ("Producer", lambda p: p.produce_batch("t", [1])),
    ("Producer", lambda p: p.produce_batch("t", [{"value": 1}])),
    ("Producer", lambda p: p.produce_batch("t", [{"value": b"x", "timestamp": 1}])),
    ("Producer", lambda p: p.produce_batch("t", [{"value": b"x" * 2_000_000}, {"key": b"k"}])),
    ("Producer", lambda p: p.begin_transaction()),
    ("Consumer", lambda c: c.subscribe("x")),
    ("Consumer", lambda c: c.subscribe([])),
    ("Consumer", lambda c: c.subscribe(["x"], on_assign=None)),
    ("Consumer", lambda c: c.poll(None)),
    ("Consumer", lambda c: c.consume(-1)),
    ("Consumer", lambda c: c.consume(None)),
    ("Consumer", lambda c: c.assign(1)),
    ("Consumer", lambda c: c.commit(message=1)),
    ("Consumer", lambda c: c.commit(asynchronous=False)),
    ("Consumer", lambda c: c.store_offsets()),
    ("Consumer", lambda c: c.memberid()),
    ("Consumer", lambda c: c.consumer_group_metadata()),
]


@pytest.mark.parametrize(("kind", "case"), BAD)
def test_bad_arguments_get_the_real_answers(
    tank: Tank, kind: str, case: Callable[[Any], Any]
) -> None:
    conf: dict[str, Any] = {"log_level": 0}
    if kind == "Consumer":
        conf["group.id"] = "g"
    actual = getattr(real, kind)(conf)
    expected = observe(lambda: case(actual))
    if kind == "Producer":
        actual.purge()
    stand_in = {"Producer": Producer, "Consumer": Consumer}[kind]
    assert tank.run(lambda: observe(lambda: case(stand_in({**tank.conf(), **conf})))) == expected


def test_outside_a_world_everything_is_real() -> None:
    conf: dict[str, Any] = {"log_level": 0}
    assert type(TopicPartition("t")) is real.TopicPartition
    assert isinstance(real.TopicPartition("t"), TopicPartition)
    producer = Producer(conf)
    assert isinstance(producer, Producer)
    producer.produce("t", b"v")
    assert producer.flush(0) == 1
    assert len(producer) == 1
    producer.purge()
    consumer = Consumer({**conf, "group.id": "g"})
    consumer.assign([TopicPartition("t", 1, 5)])
    assert [p.partition for p in consumer.assignment()] == [1]
    consumer.close()
    with pytest.raises(KafkaException):
        AdminClient(conf).list_topics(timeout=0.01)


def test_serializers_of_the_wheel_run_on_top(tank: Tank) -> None:
    def body() -> list[Any]:
        out = SerializingProducer(tank.conf() | {"value.serializer": StringSerializer("utf-8")})
        out.produce("t", value="grüße", partition=1)
        out.flush()
        conf = tank.conf(group_id="g", auto_offset_reset="earliest")
        reader = DeserializingConsumer(conf | {"value.deserializer": StringDeserializer("utf-8")})
        reader.subscribe(["t"])
        message = reader.poll(10)
        assert message is not None
        return [isinstance(out, Producer), message.value()]

    assert tank.run(body) == [True, "grüße"]


def test_the_asyncio_classes_of_the_wheel_run_in_virtual_time(tank: Tank) -> None:
    async def main() -> list[Any]:
        producer = AIOProducer(tank.conf(), max_workers=2, buffer_timeout=0.5)
        begun = now()
        delivered = await producer.produce("t", value=b"v", key=b"k")
        message = await delivered
        took = now() - begun
        await producer.close()
        seen: list[Any] = []

        async def on_assign(mine: AIOConsumer, parts: list[TopicPartition]) -> None:
            seen.append([p.partition for p in parts])
            await mine.assign(parts)

        conf = tank.conf(group_id="g", auto_offset_reset="earliest")
        consumer = AIOConsumer(conf, max_workers=3)
        await consumer.subscribe(["t"], on_assign=on_assign)
        received = await consumer.poll(timeout=10)
        await consumer.commit(asynchronous=False)
        await consumer.close()
        return [message.offset(), 0.4 < took < 2, received.value(), seen]

    assert tank.run(lambda: asyncio.run(main())) == [0, True, b"v", [[0, 1]]]
    assert sum(c.offset for c in tank.cluster.committed("g").values()) == 1


def test_an_admin_client_creates_describes_and_deletes(tank: Tank) -> None:
    def error(future: Any) -> str | None:
        raised = future.exception(10)
        return raised.args[0].name() if raised else None

    def body() -> None:
        admin = AdminClient(tank.conf())
        made = admin.create_topics(
            [NewTopic("new", 3, 1, config={"retention.ms": "5"}), NewTopic("t", 1, 1)]
        )
        assert [error(made[name]) for name in ("new", "t")] == [None, "TOPIC_ALREADY_EXISTS"]
        listed = admin.list_topics(timeout=5)
        assert {n: len(t.partitions) for n, t in listed.topics.items()} == {"new": 3, "t": 2}
        assert admin.cluster_id() == listed.cluster_id
        assert error(admin.create_partitions([NewPartitions("new", 4)])["new"]) is None
        described = admin.describe_topics(TopicCollection(["new"]))["new"].result(5)
        assert (described.name, len(described.partitions)) == ("new", 4)
        assert len(admin.describe_cluster().result(5).nodes) == 2
        resource = ConfigResource("topic", "new")
        configs = admin.describe_configs([resource])[resource].result(5)
        assert configs["retention.ms"].value == "5"
        change = ConfigEntry("retention.ms", "9", incremental_operation=AlterConfigOpType.SET)
        changed = ConfigResource("topic", "new", incremental_configs=[change])
        assert error(admin.incremental_alter_configs([changed])[changed]) is None
        producer = Producer(tank.conf())
        producer.produce("t", partition=0)
        producer.flush()
        first = TopicPartition("t", 0)
        make: Any = LatestSpec
        latest = admin.list_offsets({first: make()})
        assert next(iter(latest.values())).result(5).offset == 1
        assert error(admin.delete_topics(["new"])["new"]) is None
        assert error(admin.delete_topics(["new"])["new"]) == "UNKNOWN_TOPIC_OR_PART"

    tank.run(body)


def test_an_admin_client_sees_and_moves_groups(tank: Tank) -> None:
    def body() -> None:
        admin = AdminClient(tank.conf())
        consumer = Consumer(tank.conf(group_id="g"))
        consumer.subscribe(["t"])
        consumer.poll(5)
        listed = admin.list_consumer_groups().result(5)
        assert [(g.group_id, g.state.name) for g in listed.valid] == [("g", "STABLE")]
        group = admin.describe_consumer_groups(["g"])["g"].result(5)
        held = group.members[0].assignment.topic_partitions
        assert [p.partition for p in held] == [0, 1]
        consumer.close()
        wanted = ConsumerGroupTopicPartitions("g", [TopicPartition("t", 0, 7)])
        admin.alter_consumer_group_offsets([wanted])["g"].result(5)
        asked = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions("g")])["g"]
        assert [(p.partition, p.offset) for p in asked.result(5).topic_partitions] == [(0, 7)]
        admin.delete_consumer_groups(["g"])["g"].result(5)

    tank.run(body)


def test_an_admin_request_without_brokers_times_out(tank: Tank) -> None:
    for host in ("kafka-1", "kafka-2"):
        tank.world.server(host).crash()

    def body() -> float:
        admin = AdminClient(tank.conf())
        future = admin.create_topics([NewTopic("x", 1, 1)], request_timeout=4)["x"]
        with pytest.raises(KafkaException, match="_TIMED_OUT"):
            future.result()
        return now()

    assert tank.run(body) == pytest.approx(4, abs=0.2)


REFUSALS: list[Callable[[Tank], Any]] = [
    lambda tank: ShareConsumer(tank.conf(group_id="g")),
    lambda tank: Producer(tank.conf(transactional_id="x")),
    lambda tank: Producer(tank.conf()).set_sasl_credentials("a", "b"),
    lambda tank: AdminClient(tank.conf()).list_groups(),
    lambda tank: AdminClient(tank.conf()).describe_cluster(include_authorized_operations=True),
]


@pytest.mark.parametrize("use", REFUSALS)
def test_what_is_not_modelled_is_refused(tank: Tank, use: Callable[[Tank], Any]) -> None:
    tank.launch(lambda: use(tank))
    with pytest.raises(SimulationError) as caught:
        tank.finish("app")
    assert isinstance(caught.value, Unmodelled)


def test_a_program_that_polls_without_waiting_does_not_stop_time(tank: Tank) -> None:
    def body() -> int:
        producer = Producer(tank.conf())
        done: list[Any] = []
        producer.produce("t", b"v", on_delivery=lambda *report: done.append(report))
        while not done:
            producer.poll(0)
        return len(done)

    assert tank.run(body) == 1
