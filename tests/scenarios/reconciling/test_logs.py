"""Logs beside their writer: torn tails, appends and recoveries while they are read."""

import os
import threading
from pathlib import Path

import pytest

from scenarios.errors import UsageError
from scenarios.reconciling.logs import OpenLog
from scenarios.reconciling.pace import Pace
from system.directory import DataDirectory
from system.errors import Halt
from system.ubscore.cluster import Shard
from system.wal import reader
from system.wal.frames import EpochFrame
from system.wal.writer import Shape, Writer


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    directory = DataDirectory(str(tmp_path), Shard)
    directory.seal(Shard(shard=2, shards=2, partitions=4, cluster_id="c", topic_ids={}))
    log = Writer(str(tmp_path), Shape(2, 7, 600))
    log.format()
    recover(log)
    return log


def recover(log: Writer) -> None:
    contents = reader.read(reader.read_directory(log.directory))
    log.recover(contents, EpochFrame(counter=log.generation + 1, bits="00"))


def append(log: Writer, count: int) -> None:
    for _ in range(count):
        log.append(EpochFrame(counter=1, bits="00" * 8))
        log.commit()


def lsns(log: OpenLog) -> list[int]:
    return [frame.lsn for frame in log.frames()]


def test_a_shard_says_which_partitions_are_its_own(writer: Writer) -> None:
    assert OpenLog(writer.directory, Pace(10**9)).partitions == (1, 3)


def test_the_cut_stays_where_it_was_while_the_writer_goes_on(writer: Writer) -> None:
    append(writer, 20)
    log = OpenLog(writer.directory, Pace(10**9))
    log.open()

    append(writer, 20)
    recover(writer)

    assert lsns(log) == list(range(1, 22))
    assert lsns(log) == list(range(1, 22))
    log.close()
    log.open()
    assert lsns(log) == list(range(1, 43))
    log.close()


def test_bytes_are_read_at_their_pace(writer: Writer) -> None:
    append(writer, 100)
    slept: list[float] = []
    log = OpenLog(writer.directory, Pace(1_000, now_s=lambda: sum(slept), sleep_s=slept.append))
    log.open()
    size = sum(size for _, _, size in log.files)

    lsns(log)

    assert sum(slept) == pytest.approx(size / 1_000 - 0.1)  # a tenth of a second's come at once
    log.close()


def test_a_torn_tail_is_on_its_way_but_damage_before_it_is_a_halt(writer: Writer) -> None:
    append(writer, 3)
    path = Path(writer.directory, reader.effective(os.listdir(writer.directory))[0][-1])
    whole = path.read_bytes()
    log = OpenLog(writer.directory, Pace(10**9))

    path.write_bytes(whole[:-9])
    log.open()
    assert lsns(log)[-1] == 3
    log.close()

    path.write_bytes(whole[:-90] + b"\xff" + whole[-89:])
    log.open()
    with pytest.raises(Halt, match="damaged"):
        lsns(log)
    log.close()


def test_opening_amid_recoveries_always_gives_a_whole_log(writer: Writer) -> None:
    going = threading.Event()
    going.set()

    def live() -> None:
        while going.is_set():
            append(writer, 3)
            writer.close()
            recover(writer)

    life = threading.Thread(target=live)
    life.start()
    try:
        for _ in range(40):
            log = OpenLog(writer.directory, Pace(10**9))
            log.open()
            found = lsns(log)
            log.close()
            assert found == list(range(1, len(found) + 1))
    finally:
        going.clear()
        life.join()


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    directory = DataDirectory(str(tmp_path), Shard)
    directory.seal(Shard(shard=1, shards=1, partitions=4, cluster_id="c", topic_ids={}))

    with pytest.raises(UsageError, match="holds no log file"):
        OpenLog(str(tmp_path), Pace(10**9)).open()
