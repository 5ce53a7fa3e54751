"""Snapshots of UBSCore: they bound recovery, cut the log, and are refused when they do not fit."""

from pathlib import Path
from zlib import crc32

import pytest

from system.errors import Halt
from system.formats import COMPACT, TRANSFERS
from system.records import Transfer
from system.snapshots import Snapshot
from system.ubscore import image
from system.wal.packing import HEADER_BYTES
from tests.system.small_kafka import NOW_MS, Broker
from tests.system.ubscore.commands import operation, request_id
from tests.system.ubscore.desk import Desk, kill, log_of, made, opened


def deposits(count: int, first: int) -> list[Transfer]:
    return [
        operation("deposit", 1001 + n % 3, 1 + n % 2, 100 + n, request_id(NOW_MS, n))
        for n in range(first, first + count)
    ]


def lives(data: Path, broker: Broker, count: int, first: int = 0) -> Desk:
    """UBSCore that took `count` deposits one by one, with a snapshot after every few."""
    desk = opened(data, broker, snapshot_every=6)
    for one in deposits(count, first):
        broker.order(one)
        desk.step()
        desk.step()
    return desk


def snapshots(data: Path) -> list[Path]:
    return sorted(data.glob("snapshot-*.bin"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return made(tmp_path)


def test_two_snapshots_are_kept_and_the_log_goes_on_where_the_older_ends(data: Path) -> None:
    broker = Broker()
    desk = lives(data, broker, 20)
    whole = image.encode(desk.state)
    kill(desk)

    older, newer = snapshots(data)
    first = min(int(name.name[13:29]) for name in data.glob("wal-*.log"))
    assert 1 < first <= int(older.stem[9:]) + 1 < int(newer.stem[9:])
    with pytest.raises(Halt, match="log_gap"):
        log_of(data)

    again = opened(data, broker)
    assert again.state.balances == desk.state.balances
    assert again.state.keys.contents(()) == desk.state.keys.contents(())
    assert again.metrics.recovery._value.get() > 0
    assert image.encode(again.state) != whole  # a new epoch
    kill(again)


@pytest.mark.parametrize(
    ("harm", "word"), [("truncated", "truncated"), ("bit", "checksum"), ("header", "header")]
)
def test_a_damaged_snapshot_is_said_and_the_older_one_used(
    data: Path, harm: str, word: str, capfd: pytest.CaptureFixture[str]
) -> None:
    broker = Broker()
    desk = lives(data, broker, 20)
    kill(desk)
    newest = snapshots(data)[-1]
    content = bytearray(newest.read_bytes())
    if harm == "truncated":
        del content[-3:]
    else:
        content[-1 if harm == "bit" else 10] ^= 1
    newest.write_bytes(content)

    again = opened(data, broker)

    assert again.state.balances == desk.state.balances
    assert word in capfd.readouterr().err
    broker.order(*deposits(3, 50))
    again.settle()
    assert len(set(broker.published())) == 23  # what the mark did not know yet came twice
    kill(again)


def test_an_older_snapshot_that_the_log_does_not_cover_halts(data: Path) -> None:
    broker = Broker()
    kill(lives(data, broker, 20))
    newest = snapshots(data)[-1]
    newest.write_bytes(newest.read_bytes()[:-1])
    first = min(data.glob("wal-*.log"))
    first.unlink()

    with pytest.raises(Halt, match=r"log_gap.* is missing"):
        opened(data, broker)


def test_a_log_that_ends_before_the_snapshot_halts(data: Path) -> None:
    broker = Broker()
    kill(lives(data, broker, 20))
    kept = min(data.glob("wal-*.log"))
    for name in data.glob("wal-*.log"):
        if name != kept:
            name.unlink()
    kept.write_bytes(kept.read_bytes()[:HEADER_BYTES])

    with pytest.raises(Halt, match=r"log_damaged.*but the snapshot holds"):
        opened(data, broker)


@pytest.mark.parametrize(("at", "reason"), [(8, "snapshot_version"), (20, "snapshot_foreign")])
def test_a_newer_or_foreign_snapshot_halts(data: Path, at: int, reason: str) -> None:
    broker = Broker()
    kill(lives(data, broker, 8))
    newest = snapshots(data)[-1]
    content = bytearray(newest.read_bytes())
    content[at] += 2  # version 1 is written until there are orders, version 2 is read, too
    content[40:44] = crc32(content[:40]).to_bytes(4, "little")
    newest.write_bytes(content)

    with pytest.raises(Halt, match=reason):
        opened(data, broker)


def test_what_is_not_acknowledged_keeps_its_log_and_is_sent_after_a_restart(data: Path) -> None:
    broker = Broker()
    desk = lives(data, broker, 3)
    broker.away = True
    for one in deposits(20, 10):
        broker.order(one)
        desk.step()
    assert len(snapshots(data)) == 2
    kill(desk)
    broker.away = False

    again = opened(data, broker)
    assert len(again.outbox.waiting) == 20
    again.settle()

    assert len(broker.published()) == 23
    kill(again)


def test_a_graceful_stop_leaves_a_snapshot_and_nothing_to_fold(data: Path) -> None:
    broker = Broker()
    desk = lives(data, broker, 3)
    desk.close()

    again = opened(data, broker)

    (first,) = snapshots(data)
    assert again.metrics.recovered._value.get() == 0
    assert again.state.balances == desk.state.balances
    broker.order(*deposits(1, 50))
    again.settle()
    assert len(broker.published()) == 4
    again.close()
    assert snapshots(data)[0] == first


def test_a_graceful_stop_with_kafka_away_keeps_what_is_to_be_published(data: Path) -> None:
    broker = Broker()
    desk = lives(data, broker, 3)
    broker.away = True
    broker.order(*deposits(4, 10))
    desk.step()
    desk.close()
    broker.away = False

    again = opened(data, broker)
    again.settle()

    assert snapshots(data)
    assert len(broker.published()) == 7
    again.close()


def test_the_mark_of_a_quiet_shard_does_not_pass_what_comes_next(data: Path) -> None:
    broker = Broker()
    desk = lives(data, broker, 3)
    desk.frame_quiet()
    assert desk.state.mark.lsn == desk.state.lsn
    broker.away = True
    broker.order(*deposits(2, 10))
    desk.step()
    kill(desk)
    broker.away = False

    again = opened(data, broker)
    assert len(again.outbox.waiting) == 2
    again.settle()

    assert len(broker.published()) == 5
    kill(again)


def test_a_stop_after_nothing_was_decided_writes_no_snapshot(data: Path) -> None:
    desk = opened(data, Broker())
    desk.close()

    assert not snapshots(data)


@pytest.mark.parametrize("version", [TRANSFERS, COMPACT])
def test_an_image_gives_the_state_it_was_made_of(data: Path, version: int) -> None:
    broker = Broker()
    desk = lives(data, broker, 9)
    other = desk.state_type()

    content = image.encode(desk.state, version)
    image.restore(other, Snapshot("snapshot", version, desk.state.lsn, memoryview(content)))

    assert image.encode(other) == image.encode(desk.state)
    kill(desk)
