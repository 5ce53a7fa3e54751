"""Where the engine stops rather than guess, and what it says then."""

import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from system.errors import ConfigError, Halt, Locked, LogError, Stop
from system.records import (
    ORDERS,
    OUTPUTS,
    decode_output,
    encode,
)
from system.topics import key_of, partition_of
from tests.system.engine.desk import kill, made, opened, outputs, send
from tests.system.engine.flow import order, source, stream
from tests.system.small_kafka import PARTITIONS, Broker

HOME = partition_of(key_of(1), PARTITIONS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return made(tmp_path)


def altered(broker: Broker, number: int, **changes: object) -> None:
    log = broker.logs[OUTPUTS, HOME]
    record = decode_output(log[number].value())
    log[number]._value = encode(replace(record, **changes))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"created_at": 5}, "output_differs"),
        ({"previous_hash": "f" * 64}, "output_differs"),
        ({"trades": ()}, "output_differs"),
        ({"symbol_id": 2}, "output_foreign"),
        ({"source": source(0, (HOME + 1) % PARTITIONS)}, "output_foreign"),
        ({"source": source(1000, HOME)}, "position_ahead"),
        ({"output_seq": 1000}, "output_ahead"),
        ({"v": 3}, "output_unreadable"),
    ],
)
def test_an_output_that_is_not_what_the_input_gives_halts_before_anything_is_sent(
    data: Path, changes: dict[str, object], reason: str
) -> None:
    broker = Broker()
    sell, buy = order(1, "sell", 10, 1), order(2, "buy", 10, 1, user_id=7)
    send(broker, sell, buy)
    desk = opened(data, broker)
    desk.settle()
    kill(desk)
    send(broker, order(3, "buy", 10, 1))
    altered(broker, 1, **changes)
    before = outputs(broker)

    with pytest.raises(Halt) as halt:
        opened(data, broker)

    assert halt.value.reason == reason
    assert outputs(broker) == before


def test_acknowledged_outputs_that_are_gone_halt(data: Path) -> None:
    broker = Broker()
    send(broker, *stream(random.Random(6), 30))
    desk = opened(data, broker)
    desk.settle()
    desk.close()
    del broker.logs[OUTPUTS, HOME][5:]

    with pytest.raises(Halt, match="output_lost"):
        opened(data, broker)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"1", b"{", "input_unreadable"),
        (b"1", b'{"v":3}', "input_unreadable"),
        (b"2", encode(order(2, "buy", 10, 1)), "input_misplaced"),
        (b"1", encode(order(2, "buy", 10, 1, symbol_id=2)), "input_misplaced"),
        (b"1", encode(replace(order(2, "buy", 10, 1), epoch_bits="f" * 16)), "numbering"),
        (b"1", encode(replace(order(2, "buy", 10, 1), lot=500)), "symbol_changed"),
    ],
)
def test_a_record_that_must_not_be_skipped_halts_after_what_came_before_it(
    data: Path, key: bytes, value: bytes, reason: str
) -> None:
    broker = Broker()
    send(broker, order(1, "buy", 10, 1))
    broker.append(ORDERS, HOME, key, value)
    desk = opened(data, broker)

    with pytest.raises(Halt) as halt:
        desk.settle()

    assert halt.value.reason == reason
    assert len(outputs(broker)) == 1
    kill(desk)


def test_input_that_was_replaced_or_is_gone_halts(data: Path) -> None:
    broker = Broker()
    send(broker, *stream(random.Random(7), 9))
    desk = opened(data, broker)
    desk.settle()
    desk.close()
    whole = list(broker.logs[ORDERS, HOME])
    for log, reason in (
        (whole[:5], "position_ahead"),
        ([*whole[:8], broker.append(ORDERS, 9, b"1", b"x")], "input_replaced"),
    ):
        broker.logs[ORDERS, HOME] = log
        for offset, record in enumerate(log):
            record._place = (ORDERS, HOME, offset)

        with pytest.raises(Halt, match=reason):
            opened(data, broker)


def test_a_second_process_and_a_directory_without_init_are_refused(data: Path) -> None:
    desk = opened(data, Broker())

    with pytest.raises(Locked, match="another process"):
        opened(data, Broker())
    with pytest.raises(ConfigError, match="does not exist; run `init` once"):
        opened(data / "none", Broker())
    (data / "bare").mkdir()
    with pytest.raises(ConfigError, match="no data directory yet"):
        opened(data / "bare", Broker())
    kill(desk)


def test_a_disk_error_in_a_snapshot_stops_the_process(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker()
    send(broker, order(1, "buy", 10, 1))
    desk = opened(data, broker, snapshot_every=1)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(LogError, match="No space left"):
        desk.settle()
    kill(desk)


@pytest.mark.parametrize("snapshots", [0, 1])
def test_without_a_snapshot_that_the_log_covers_it_does_not_start(
    data: Path, snapshots: int
) -> None:
    broker = Broker()
    for first in (1, 2):
        send(broker, order(first, "buy", 10, 1))
        desk = opened(data, broker)
        desk.settle()
        desk.close()
    for file in sorted(data.glob("snapshot-*"))[snapshots:]:
        file.unlink()
    broker.starts[ORDERS, HOME] = 2

    with pytest.raises(Halt, match=r"position_lost: .* records not yet read are gone"):
        opened(data, broker)


def test_a_snapshot_of_other_rules_is_taken_only_where_the_old_version_stopped(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker()
    send(broker, *stream(random.Random(8), 20))
    desk = opened(data, broker)
    desk.settle()
    desk.close()
    monkeypatch.setattr("system.engine.audit.RULES", 2)
    desk = opened(data, broker)
    assert not desk.outbox.waiting
    send(broker, order(21, "buy", 10, 1))
    monkeypatch.undo()
    desk.settle()
    kill(desk)
    monkeypatch.setattr("system.engine.audit.RULES", 2)

    with pytest.raises(Stop, match="rules_changed"):
        opened(data, broker)
