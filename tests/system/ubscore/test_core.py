"""UBSCore as a whole: what it publishes, and what it comes back with after a crash anywhere."""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from system.directory import FILE
from system.errors import ConfigError, Halt, Locked, LogError
from system.records import EVENTS, OPERATIONS, LedgerRow, Transfer, decode_event
from system.ubscore import dump, image
from system.ubscore.state import State
from system.wal.frames import CommandFrame, MarkFrame
from tests.system.small_kafka import NOW_MS, Broker
from tests.system.ubscore.commands import operation, request_id
from tests.system.ubscore.desk import kill, log_of, made, opened


def deposits(count: int, first: int = 0) -> list[Transfer]:
    return [
        operation("deposit", 1001 + n % 3, 1 + n % 2, 100 + n, request_id(NOW_MS, n))
        for n in range(first, first + count)
    ]


def rows(broker: Broker) -> list[LedgerRow]:
    """The events after duplicates are dropped by their numbers."""
    found: dict[tuple[int, int], LedgerRow] = {}
    last: dict[int, int] = {}
    for partition in range(4):
        for record in broker.logs[EVENTS, partition]:
            event = decode_event(record.value())
            assert isinstance(event, LedgerRow)
            if event.n == last.get(partition, 0) + 1:
                last[partition] = event.n
                found[partition, event.n] = event
            elif event.n <= last.get(partition, 0):
                assert found[partition, event.n] == event
    return list(found.values())


def fold(directory: Path) -> State:
    state = State()
    for lsn, body in log_of(directory).records():
        state.apply(lsn, body)
    return state


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return made(tmp_path)


def test_nine_deposits_become_nine_frames_and_nine_rows(data: Path) -> None:
    broker = Broker()
    broker.order(*deposits(9))
    desk = opened(data, broker)
    desk.settle()
    desk.close()
    bodies = [body for _, body in log_of(data).records()]
    assert sum(isinstance(body, CommandFrame) for body in bodies) == 9
    assert sorted(row.request_id for row in rows(broker)) == [
        request_id(NOW_MS, n) for n in range(9)
    ]
    assert bodies[-1] == desk.state.mark
    assert isinstance(bodies[-1], MarkFrame)
    assert {d.n for d in bodies[-1].delivered} == {d.offset + 1 for d in bodies[-1].delivered}


@settings(max_examples=25, deadline=None)
@given(
    plan=st.lists(st.sampled_from(["order", "step", "kill", "away", "back", "lose"]), max_size=30),
    batch=st.sampled_from((1, 2, 256)),
)
def test_whatever_happens_each_deposit_has_one_row_and_the_fold_is_the_state(
    tmp_path_factory: pytest.TempPathFactory, plan: list[str], batch: int
) -> None:
    data, broker, ordered = made(tmp_path_factory.mktemp("d")), Broker(), 0
    desk = opened(data, broker, batch=batch, file_bytes=4096)
    for what in [*plan, "back", "kill"]:
        if what == "order":
            broker.order(*deposits(3, ordered))
            ordered += 3
        elif what == "step":
            desk.step()
            desk.conclude()
            assert image.encode(fold(data)) == image.encode(desk.state)
        elif what == "kill":
            kill(desk)
            desk = opened(data, broker, batch=batch, file_bytes=4096)
        else:
            broker.away, broker.lose_answers = what == "away", what == "lose"
    desk.settle()
    assert len(rows(broker)) == ordered
    assert sum(row.delta_avail for row in rows(broker)) == sum(100 + n for n in range(ordered))
    assert not desk.outbox.waiting
    desk.close()


@pytest.mark.parametrize("point", ["frame_mark", "sync", "publish"])
def test_a_kill_before_a_step_of_the_commit_loses_and_doubles_nothing(
    data: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker()
    broker.order(*deposits(9))
    desk = opened(data, broker)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(desk, point, die)
    with pytest.raises(KeyboardInterrupt):
        desk.step()
    assert not broker.published()
    kill(desk)
    desk = opened(data, broker)
    assert len(desk.outbox.waiting) == (9 if point == "publish" else 0)
    desk.settle()
    assert len(rows(broker)) == len(broker.published()) == 9
    desk.close()


def test_nothing_of_a_full_batch_leaves_before_its_sync_has_returned(data: Path) -> None:
    broker = Broker()
    broker.order(*deposits(4))
    desk = opened(data, broker, batch=2)
    desk.step()
    assert not broker.published()
    assert desk.secured() != {}
    assert len(rows(broker)) == 2
    desk.step()
    assert len(rows(broker)) == 2
    kill(desk)
    desk = opened(data, broker, batch=2)
    desk.settle()
    desk.close()
    assert len(rows(broker)) == len(set(broker.published())) == 4


def test_a_lost_acknowledgement_repeats_the_same_bytes(data: Path) -> None:
    broker = Broker(lose_answers=True)
    broker.order(*deposits(3))
    desk = opened(data, broker)
    desk.step()
    broker.lose_answers = False
    desk.settle()
    assert len(broker.published()) > 3
    assert len(rows(broker)) == len(set(broker.published())) == 3
    kill(desk)


def test_a_disk_error_stops_the_process_and_nothing_is_published(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker = Broker()
    desk = opened(data, broker)
    broker.order(*deposits(3))

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", fail)
    with pytest.raises(LogError, match="Input/output error"):
        desk.step()
    assert not broker.published()
    kill(desk)


def test_a_log_that_lost_its_tail_halts_at_its_own_outputs(data: Path) -> None:
    broker = Broker()
    broker.order(*deposits(2))
    desk = opened(data, broker)
    desk.step()
    kill(desk)
    (name,) = log_of(data).files
    image = (data / name).read_bytes()
    (data / name).write_bytes(image[:-8])
    with pytest.raises(Halt, match="output_ahead"):
        opened(data, broker)


@pytest.mark.parametrize(
    ("harm", "reason"), [("shorter", "position_ahead"), ("other", "input_replaced")]
)
def test_an_input_that_is_not_the_one_it_was_halts(data: Path, harm: str, reason: str) -> None:
    broker = Broker()
    broker.order(*deposits(4))
    desk = opened(data, broker)
    desk.settle()
    desk.close()
    kill(desk)
    for partition in range(4):
        if broker.logs[OPERATIONS, partition]:
            last = broker.logs[OPERATIONS, partition].pop()
            if harm == "other":
                broker.append(OPERATIONS, partition, last.key(), last.value() + b" ")
    with pytest.raises(Halt, match=reason):
        opened(data, broker)


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        (b"1001", b"no json", "input_unreadable"),
        (b"1001", b'{"type":"steal","v":1}', "input_unreadable"),
        (b"7", None, "input_misplaced"),
    ],
)
def test_a_bad_record_halts_after_what_came_before_it(
    data: Path, key: bytes, value: bytes | None, reason: str
) -> None:
    broker = Broker()
    good = operation("deposit", 1001, 1, 5, request_id(NOW_MS, 1))
    broker.order(good)
    (place,) = (p for p in range(4) if broker.logs[OPERATIONS, p])
    record = broker.logs[OPERATIONS, place][0]
    broker.append(OPERATIONS, place, key, record.value() if value is None else value)
    desk = opened(data, broker)
    with pytest.raises(Halt, match=rf"{reason}.*offset 1"):
        desk.step()
    assert len(rows(broker)) == 1
    kill(desk)
    with pytest.raises(Halt, match=reason):
        opened(data, broker).settle()


def test_a_damaged_log_halts_with_file_and_offset(data: Path) -> None:
    broker = Broker()
    for first in (0, 3):
        broker.order(*deposits(3, first))
        desk = opened(data, broker)
        desk.settle()
        kill(desk)
    (name,) = log_of(data).files
    image = bytearray((data / name).read_bytes())
    image[200] ^= 4
    (data / name).write_bytes(image)
    with pytest.raises(Halt, match=rf"{name} offset \d+: LSN \d+ was synced"):
        opened(data, broker)
    assert (data / name).read_bytes() == image


def test_a_second_process_is_refused(data: Path) -> None:
    desk = opened(data, Broker())
    with pytest.raises(Locked, match="another process"):
        opened(data, Broker())
    kill(desk)


def test_a_directory_of_another_shard_or_without_init_is_refused(data: Path) -> None:
    sealed = (data / FILE).read_bytes()
    (data / FILE).write_bytes(sealed.replace(b'"shard":1', b'"shard":2'))
    with pytest.raises(Halt, match="directory_damaged"):
        opened(data, Broker())
    with pytest.raises(ConfigError, match="does not exist"):
        opened(data / "none", Broker())


def test_the_dump_says_what_the_log_says(data: Path) -> None:
    broker = Broker()
    broker.order(*deposits(9))
    desk = opened(data, broker)
    desk.dump()
    desk.settle()
    body = (data / "balances.json").read_bytes()
    assert body == dump.render(fold(data), 1) or json.loads(body)["lsn"] <= desk.state.lsn
    total = sum(line["avail"] for line in json.loads(body)["balances"])
    assert total == sum(100 + n for n in range(9))
    desk.close()


def test_a_quiet_shard_frames_its_positions(data: Path) -> None:
    broker = Broker()
    broker.order(*deposits(3))
    desk = opened(data, broker, frame_every_ms=1)
    desk.settle()
    before = desk.state.positions.copy()
    desk.frame_quiet()
    assert fold(data).positions == {**before, **desk.state.positions}
    assert fold(data).mark.lsn > 0
    desk.close()


def test_acknowledged_outputs_that_are_gone_halt(data: Path) -> None:
    broker = Broker()
    broker.order(*deposits(9))
    desk = opened(data, broker)
    desk.settle()
    desk.close()
    for partition in range(4):
        del broker.logs[EVENTS, partition][1:]
    with pytest.raises(Halt, match="output_lost"):
        opened(data, broker)
