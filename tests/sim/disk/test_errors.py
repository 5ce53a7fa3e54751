"""Errors that a disk has by itself: failed syncs, no space, bad sectors, flipped bits."""

import errno
import random

import pytest

from sim.disk import PAGE, SECTOR, Chosen, Disk, Inode


def _file(profile: str = "posix", size: int = 3 * PAGE) -> tuple[Disk, Inode]:
    disk = Disk(profile, random.Random(1))
    disk.put("/f", b"s" * size)
    return disk, disk.names.find("/f")


def test_pages_of_a_failed_sync_look_clean_and_are_not_durable() -> None:
    disk, file = _file()
    disk.write(file, 0, b"n" * PAGE)
    disk.fail_sync(file)
    assert disk.read(file, 0, 3) == b"nnn"
    disk.sync(file, disk.mark(file))  # succeeds, and makes nothing durable
    assert disk.durable("/f") == b"s" * 3 * PAGE
    disk.power_loss()
    assert disk.read(file, 0, 3) == b"sss"


def test_writing_to_a_page_of_a_failed_sync_makes_all_of_it_dirty_again() -> None:
    disk, file = _file()
    disk.write(file, 0, b"n" * 100)
    disk.fail_sync(file)
    disk.write(file, 200, b"m")
    disk.sync(file, disk.mark(file))
    assert disk.durable("/f")[:201] == b"n" * 100 + b"s" * 100 + b"m"  # type: ignore[index]


def test_a_file_system_that_reverts_shows_the_old_content_after_a_failed_sync() -> None:
    disk, file = _file("btrfs")
    disk.write(file, 0, b"n" * (4 * PAGE))
    disk.fail_sync(file)
    assert disk.cached("/f") == b"s" * 3 * PAGE
    assert disk.used == 3 * PAGE


def test_space_runs_out_in_the_middle_of_a_write_and_comes_back() -> None:
    disk, file = _file()
    disk.capacity = disk.used + 10
    assert disk.write(file, 3 * PAGE, b"n" * 100) == 10
    with pytest.raises(OSError, match=f"Errno {errno.ENOSPC}"):
        disk.write(file, 3 * PAGE + 10, b"n")
    assert disk.refused == 1
    assert disk.write(file, 0, b"over") == 4  # what has its space can be written over
    disk.truncate(file, 0)
    assert disk.write(file, 0, b"n" * 100) == 100


def test_a_bad_sector_is_unreadable_until_it_is_written_in_full() -> None:
    disk, file = _file()
    disk.damage_sector("/f", 2)
    assert len(disk.read(file, 0, PAGE)) == 2 * SECTOR
    with pytest.raises(OSError, match=f"Errno {errno.EIO}"):
        disk.read(file, 2 * SECTOR, 1)
    disk.write(file, 2 * SECTOR, b"n" * 100)
    with pytest.raises(OSError, match=f"Errno {errno.EIO}"):
        disk.read(file, 2 * SECTOR, 1)
    disk.write(file, 2 * SECTOR, b"n" * SECTOR)
    assert disk.read(file, 2 * SECTOR, 1) == b"n"


def test_a_flipped_bit_stays_flipped() -> None:
    disk, file = _file()
    disk.rot("/f", 5, 1)
    assert disk.read(file, 5, 1) == bytes([ord("s") ^ 2])
    disk.power_loss(Chosen())
    assert disk.read(file, 5, 1) == bytes([ord("s") ^ 2])


def test_rules_bite_as_often_as_they_say_on_the_paths_they_name() -> None:
    disk, _ = _file()
    rule = disk.inject("os.fsync", errno.EIO, "/var/*", times=2)
    assert disk.failing("os.fsync", "/f") is None
    assert disk.failing("os.write", "/var/x") is None
    assert [disk.failing("os.fsync", "/var/x") is rule for _ in range(3)] == [True, True, False]
    assert rule.bites == 2
    disk.heal(rule)
    disk.heal(rule)
    with pytest.raises(ValueError, match="no errno"):
        disk.inject("os.fsync", -1)
