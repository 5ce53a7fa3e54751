"""Configurations: the library's own verdicts and texts, and clear refusals of the rest."""

from typing import Any

import pytest

from sim.errors import Unmodelled
from sim.kafka.client.configuration import configure
from sim.kafka.client.modelled import HARMLESS, MODELLED
from sim.kafka.client.properties import DEFAULTS
from sim.kafka.client.wheel import KafkaException, real

REFUSED: list[tuple[str, dict[str, Any]]] = [
    ("Producer", {"foo": 1}),
    ("Producer", {"bootstrap_servers": "x"}),
    ("Producer", {"acks": 2000}),
    ("Producer", {"acks": "leader"}),
    ("Producer", {"linger.ms": "abc"}),
    ("Producer", {"linger.ms": None}),
    ("Producer", {"enable.idempotence": "yes"}),
    ("Producer", {"enable.idempotence": True, "acks": 1}),
    ("Producer", {"enable.idempotence": True, "max.in.flight": 6}),
    ("Producer", {"enable.idempotence": True, "retries": 0}),
    ("Producer", {"enable.gapless.guarantee": True}),
    ("Producer", {"compression.type": "foo"}),
    ("Producer", {"partitioner": "foo"}),
    ("Producer", {"linger.ms": 500, "delivery.timeout.ms": 100}),
    ("Producer", {"message.timeout.ms": 5, "linger.ms": 5}),
    ("Producer", {"reconnect.backoff.ms": 20000}),
    ("Producer", {"reconnect.backoff.max.ms": 50}),
    ("Producer", {"default.topic.config": {"acks": 1, "foo": 2}}),
    ("Producer", {"on_delivery": 1}),
    ("Producer", {"dr_cb": 1}),
    ("Producer", {"error_cb": 1}),
    ("Producer", {"error_cb": None}),
    ("Consumer", {"session.timeout.ms": 400000}),
    ("Consumer", {"max.poll.interval.ms": 10}),
    ("Consumer", {"heartbeat.interval.ms": 0}),
    ("Consumer", {"partition.assignment.strategy": "range,cooperative-sticky"}),
    ("Consumer", {"partition.assignment.strategy": "sticky"}),
    ("Consumer", {"auto.offset.reset": "foo"}),
    ("Consumer", {"isolation.level": 1}),
    ("Consumer", {"fetch.max.bytes": 10}),
    ("Consumer", {"receive.message.max.bytes": 2000}),
    ("Consumer", {"on_commit": 1}),
]


@pytest.mark.parametrize(("name", "conf"), REFUSED)
def test_what_the_library_refuses_is_refused_with_its_words(
    name: str, conf: dict[str, Any]
) -> None:
    kind: Any = name.lower()
    if kind == "consumer":
        conf = {"group.id": "g", **conf}
    with pytest.raises((KafkaException, TypeError)) as expected:
        getattr(real, name)({"log_level": 0, **conf})
    with pytest.raises(expected.type) as found:
        configure(kind, conf)
    assert str(found.value) == str(expected.value)


@pytest.mark.parametrize(
    "conf",
    [
        {"security.protocol": "ssl"},
        {"transactional.id": "x"},
        {"statistics.interval.ms": 1000},
        {"stats_cb": print},
        {"sasl.username": "u"},
        {"client.rack": "a"},
        {"group.protocol": "consumer"},
        {"partition.assignment.strategy": "cooperative-sticky"},
        {"connections.max.idle.ms": 1000},
        {"socket.max.fails": 3},
    ],
)
def test_what_is_real_and_not_modelled_is_refused_by_name(conf: dict[str, Any]) -> None:
    with pytest.raises(Unmodelled, match=next(iter(conf))):
        configure("consumer", {"group.id": "g", **conf})


def test_defaults_may_be_spelled_out_and_harmless_keys_set() -> None:
    conf = {"security.protocol": "PLAINTEXT", "compression.type": "lz4", "debug": "all"}
    settings, _ = configure("producer", {**conf, "linger.ms": "5.5", "acks": "all"})
    assert (settings.linger, settings.acks, settings.partitioner) == (
        5_500_000,
        -1,
        "consistent_random",
    )


def test_defaults_are_the_librarys() -> None:
    settings, _ = configure("consumer", {"group.id": "g", "bootstrap.servers": "a:1,b"})
    assert settings.bootstrap == (("a", 1), ("b", 9092))
    assert (settings.reset, settings.isolation, settings.auto_commit) == ("latest", 1, True)
    assert settings.session_timeout == 45_000_000_000
    idempotent, _ = configure("producer", {"enable.idempotence": True})
    assert (idempotent.max_in_flight, idempotent.retries) == (5, 2**31 - 1)
    assert not MODELLED & HARMLESS
    optional = {"metadata.broker.list", "group.id", "group.instance.id"}
    assert set(DEFAULTS) | optional >= MODELLED
