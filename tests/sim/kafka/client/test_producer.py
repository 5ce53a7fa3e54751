"""What a producer promises and what it does not, request by request."""

from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException, Producer

from sim.kafka.cluster.configs import TopicConfig
from sim.moments import Moment
from tests.sim.kafka.client.tank import Tank, now, sleep

MakeTank = Callable[..., Tank]


def name(error: KafkaError | None) -> str | None:
    """Return an error's name."""
    return None if error is None else error.name()


def one(tank: Tank, **conf: Any) -> Callable[[], list[tuple[str | None, int | None, float]]]:
    """Return a program that produces one message and returns its report."""

    def body() -> list[tuple[str | None, int | None, float]]:
        producer = Producer(tank.conf(**conf))
        seen: list[tuple[str | None, int | None, float]] = []
        producer.produce(
            "t",
            b"v",
            on_delivery=lambda error, message: seen.append(
                (name(error), message.offset(), round(now(), 1))
            ),
        )
        assert producer.flush(1000) == 0
        return seen

    return body


@pytest.mark.parametrize(
    ("kind", "conf", "reports", "copies"),
    [
        ("Produce", {}, [(None, 0, 0.1)], 1),
        ("ProduceResponse", {}, [(None, 1, 0.1)], 2),
        ("Produce", {"enable_idempotence": True}, [(None, 0, 0.6)], 1),
        ("ProduceResponse", {"enable_idempotence": True}, [(None, 0, 0.6)], 1),
        ("ProduceResponse", {"retries": 0}, [("_TRANSPORT", None, 0.0)], 1),
    ],
)
def test_a_lost_response_duplicates_unless_the_producer_is_idempotent(
    tank: Tank, kind: str, conf: dict[str, Any], reports: list[Any], copies: int
) -> None:
    with tank.losing(kind) as left:
        assert tank.run(one(tank, **conf)) == reports
    assert left == [0]
    assert tank.values("t") == [b"v"] * copies


def test_an_answer_after_the_delivery_timeout_is_too_late_for_a_message_that_was_written(
    tank: Tank,
) -> None:
    with tank.delaying("ProduceResponse", 10):
        assert tank.run(one(tank, delivery_timeout_ms=2500)) == [("_MSG_TIMED_OUT", None, 3.0)]
    assert tank.values("t") == [b"v"]


def test_without_acks_a_message_that_was_never_written_is_reported_as_delivered(
    tank: Tank,
) -> None:
    with tank.losing("Produce"):
        assert tank.run(one(tank, acks=0)) == [(None, None, 0.0)]
        tank.kernel.run(tank.kernel.now + 10**9)
    assert tank.values("t") == []


@pytest.mark.parametrize("enable_idempotence", [False, True])
def test_a_retry_is_overtaken_unless_the_producer_is_idempotent(
    tank: Tank, enable_idempotence: bool
) -> None:
    topic = tank.cluster.image.topics["t"]

    def body() -> None:
        producer = Producer(tank.conf(enable_idempotence=enable_idempotence, linger_ms=0))
        producer.produce("t", b"first")
        producer.flush()
        config, topic.config = topic.config, TopicConfig({"min.insync.replicas": "2"})
        for value in (b"a", b"b", b"c"):
            producer.produce("t", value)
            sleep(0.005)
            topic.config = config
        producer.flush()

    with tank.delaying("ProduceResponse", 0.02):
        tank.run(body)
    ordered = [b"a", b"b", b"c"]
    assert tank.values("t")[1:] == (ordered if enable_idempotence else [b"b", b"c", b"a"])


def test_a_refused_first_batch_is_reported_delivered_once_a_later_one_was_taken(
    tank: Tank,
) -> None:
    # A broker takes any sequence from a producer id it does not know, and the library concludes
    # that what came before was written. Real, and the reason to wait for a first report.
    topic = tank.cluster.image.topics["t"]
    config, topic.config = topic.config, TopicConfig({"min.insync.replicas": "2"})

    def body() -> list[Any]:
        producer = Producer(tank.conf(enable_idempotence=True, linger_ms=0))
        seen: list[Any] = []
        sleep(0.6)  # for the producer id
        for value in (b"a", b"b"):
            producer.produce("t", value, on_delivery=lambda e, m: seen.append((e, m.offset())))
            sleep(0.005)
            topic.config = config
        producer.flush()
        return seen

    with tank.delaying("ProduceResponse", 0.02):
        assert tank.run(body) == [(None, None), (None, 0)]
    assert tank.values("t") == [b"b"]


def test_a_slot_of_the_queue_is_free_only_when_its_report_was_served(tank: Tank) -> None:
    def body() -> None:
        producer = Producer(tank.conf(queue_buffering_max_messages=2))
        producer.produce("t", b"1")
        producer.produce("t", b"2")
        sleep(1)
        assert tank.values("t") == [b"1", b"2"]
        with pytest.raises(BufferError, match="Local: Queue full"):
            producer.produce("t", b"3")
        assert len(producer) >= 2
        assert producer.poll(0) == 1  # one event for the batch
        producer.produce("t", b"3")
        assert producer.flush() == 0

    tank.run(body)
    assert tank.values("t") == [b"1", b"2", b"3"]


def test_reports_come_in_the_polling_thread_and_an_exception_leaves_the_rest_for_later(
    tank: Tank,
) -> None:
    def body() -> None:
        producer = Producer(tank.conf())
        seen: list[bytes | None] = []

        def report(error: Any, message: Any) -> None:
            seen.append(message.value())
            assert message.headers() is None
            assert message.latency() > 0
            if message.value() == b"1":
                raise RuntimeError("stop here")

        for n in range(4):
            producer.produce("t", b"%d" % n, headers={"h": b"x"}, on_delivery=report)
        sleep(1)
        assert seen == []
        with pytest.raises(RuntimeError, match="stop here"):
            producer.poll(0)
        assert seen == [b"0", b"1"]
        assert producer.poll(0) == 1
        assert seen == [b"0", b"1", b"2", b"3"]
        assert producer.poll(0.5) == 0

    tank.run(body)


def test_messages_of_a_producer_that_is_killed_or_dropped_vanish_without_a_report(
    tank: Tank,
) -> None:
    def body() -> list[Any]:
        seen: list[Any] = []
        producer = Producer(tank.conf(linger_ms=100))
        producer.produce("t", b"dropped", on_delivery=lambda *report: seen.append(report))
        sleep(0.05)
        del producer
        sleep(1)
        other = Producer(tank.conf(linger_ms=100))
        other.produce("t", b"killed")
        tank.after(0.05, tank.kernel.kill, tank.process(), 0)
        other.poll(10)
        return seen

    tank.launch(body)
    tank.kernel.run(3 * 10**9)
    assert tank.process().exit_code == 0
    assert tank.values("t") == []


def test_a_batch_too_large_for_the_broker_fails_with_every_message_in_it(
    make_tank: MakeTank,
) -> None:
    tank = make_tank({"t": 1}, config={"max.message.bytes": "1000"})

    def body() -> list[str | None]:
        producer = Producer(tank.conf())
        seen: list[str | None] = []
        for size in (10, 2000, 10):
            producer.produce(
                "t", b"x" * size, on_delivery=lambda error, _: seen.append(name(error))
            )
        producer.flush()
        with pytest.raises(KafkaException, match=r"Unable to produce message.*too large"):
            producer.produce("t", b"x" * 2_000_000)
        return seen

    assert tank.run(body) == ["MSG_SIZE_TOO_LARGE"] * 3


def test_a_topic_that_does_not_exist_fails_after_a_while_and_then_at_once(tank: Tank) -> None:
    def body() -> None:
        producer = Producer(tank.conf())
        seen: list[str | None] = []
        producer.produce("nope", b"x", on_delivery=lambda error, _: seen.append(name(error)))
        producer.flush(29)
        assert seen == []
        producer.flush(5)
        assert seen == ["_UNKNOWN_TOPIC"]
        with pytest.raises(KafkaException) as caught:
            producer.produce("nope", b"x")
        assert caught.value.args[0].name() == "_UNKNOWN_TOPIC"

    tank.run(body)


def test_messages_wait_for_brokers_that_are_down_and_the_program_hears_of_them(
    tank: Tank,
) -> None:
    tank.world.server("kafka-1").crash()
    tank.after(8, tank.world.server("kafka-1").start)

    def body() -> list[str | None]:
        errors: list[str | None] = []
        producer = Producer(tank.conf(), error_cb=lambda error: errors.append(name(error)))
        producer.produce("t", b"v")
        assert producer.flush(5) == 1
        assert producer.flush(20) == 0
        assert 8 < now() < 20
        with pytest.raises(KafkaException) as caught:
            Producer({"bootstrap.servers": "nobody:9092"}).list_topics(timeout=1)
        assert caught.value.args[0].name() == "_TRANSPORT"
        return errors

    # Each attempt is one of a new broker, and told; that all are down is told once.
    first, second, *more = tank.run(body)
    assert (first, second) == ("_TRANSPORT", "_ALL_BROKERS_DOWN")
    assert len(more) > 8
    assert set(more) == {"_TRANSPORT"}
    assert tank.values("t") == [b"v"]


@pytest.mark.parametrize("seed", range(8))
def test_an_idempotent_producer_writes_everything_once_and_in_order_through_faults(
    make_tank: MakeTank, seed: int
) -> None:
    tank = make_tank({"t": 2}, seed=seed, brokers=2)
    tank.crash_broker("kafka-1", at=0.2, lasts=1 + seed / 10)

    def body() -> int:
        producer = Producer(tank.conf(enable_idempotence=True, linger_ms=2))
        failed = 0

        def report(error: Any, message: Any) -> None:
            nonlocal failed
            failed += error is not None

        for n in range(100):
            producer.produce("t", b"%d" % n, partition=n % 2, on_delivery=report)
            producer.poll(0.005)
        assert producer.flush(60) == 0
        return failed

    with tank.losing("ProduceResponse", 2), tank.losing("Produce", 2):
        assert tank.run(body) == 0
    for partition in (0, 1):
        assert tank.values("t", partition) == [b"%d" % n for n in range(partition, 100, 2)]


def test_an_epoch_is_bumped_when_a_message_in_the_middle_of_the_sequence_has_timed_out(
    tank: Tank,
) -> None:
    def body() -> list[str | None]:
        producer = Producer(tank.conf(enable_idempotence=True, delivery_timeout_ms=2000))
        seen: list[str | None] = []

        def produce(value: bytes) -> None:
            producer.produce("t", value, on_delivery=lambda e, _: seen.append(name(e)))

        produce(b"1")
        producer.flush()
        tank.world.server("kafka-1").crash()
        produce(b"2")
        producer.flush()
        tank.world.server("kafka-1").start()
        produce(b"3")
        producer.flush()
        return seen

    assert tank.run(body) == [None, "_MSG_TIMED_OUT", None]
    assert tank.values("t") == [b"1", b"3"]


def test_purge_reports_what_it_gave_up(tank: Tank) -> None:
    def body() -> list[str | None]:
        producer = Producer(tank.conf(linger_ms=1000, max_in_flight=1))
        seen: list[str | None] = []
        producer.produce("t", b"1", on_delivery=lambda error, _: seen.append(name(error)))
        producer.flush(0.01)
        producer.produce("t", b"2", on_delivery=lambda error, _: seen.append(name(error)))
        producer.purge()
        assert producer.flush() == 0
        return seen

    with tank.delaying("ProduceResponse", 5):
        assert sorted(tank.run(body)) == ["_PURGE_INFLIGHT", "_PURGE_QUEUE"]


@pytest.mark.parametrize(("part", "written"), [(0.0, []), (1.0, [b"v"])])
def test_a_crash_can_come_before_or_after_a_delivery_report(
    tank: Tank, part: float, written: list[bytes]
) -> None:
    seen: list[Any] = []

    def body() -> None:
        producer = Producer(tank.conf())
        producer.produce("t", b"v", on_delivery=lambda *report: seen.append(report))
        producer.flush()

    moment = Moment(process="app", door="kafka.delivery", part=part)
    tank.world.moments.arm(moment, lambda process: tank.kernel.kill(process, 0))
    tank.launch(body)
    tank.kernel.run(10**9)
    assert tank.process().died_at is not None
    assert [message.value() for _, message in seen] == written


def test_the_same_seed_gives_the_same_digest_and_another_one_another(make_tank: MakeTank) -> None:
    def digest(seed: int) -> str:
        tank = make_tank({"t": 3}, seed=seed, brokers=3)
        with tank.losing("ProduceResponse"):
            tank.run(one(tank))
        return tank.kernel.trace.digest()

    assert digest(1) == digest(1) != digest(2)
