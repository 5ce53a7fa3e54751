"""What the door to files adds to an operating system's: deaths, moments, errors, refusals."""

import errno
import fcntl
import json
import os
import pathlib
import shutil
import tempfile
from collections.abc import Callable
from typing import Any

import pytest

from sim.disk import Chosen
from sim.errors import SimulationError, SimulationEscape, Unmodelled
from sim.kernel import MILLISECOND, SECOND
from sim.moments import Moment, MomentWatch
from sim.process import Process
from tests.sim.doors.files.computer import Computer


def _append(path: str, content: bytes) -> int:
    number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(number, content)
    return number


def _forever(computer: Computer) -> None:
    computer.kernel.wait(computer.kernel.event())


def _strike(computer: Computer, moment: Moment, come: Any) -> None:
    watch = MomentWatch(computer.kernel)
    watch.arm(moment, come)
    computer.kernel.births.append(watch.attend)


def test_a_killed_process_leaves_its_page_cache_and_loses_its_own_buffers() -> None:
    computer = Computer()
    kept: list[Any] = []

    def program() -> None:
        _append("/tmp/cached", b"cached")
        with open("/tmp/buffered", "w") as file:
            kept.append(file)
            file.write("buffered")
            _forever(computer)

    process = computer.start(program)
    computer.kernel.run(SECOND)
    computer.kernel.kill(process)
    files = computer.disk.cached_files("/tmp")
    assert files == {"/tmp/cached": b"cached", "/tmp/buffered": b""}
    refusals = process.refusals
    kept.clear()  # the finaliser of a dead process's file
    assert computer.disk.cached_files("/tmp") == files
    assert process.refusals >= refusals > 0


def test_an_orderly_end_flushes_what_was_left_open() -> None:
    computer = Computer()
    kept: list[Any] = []

    def program() -> None:
        kept.append(open("/tmp/open", "w"))
        kept[0].write("text")

    computer.run(program)
    assert computer.disk.cached("/tmp/open") == b"text"


def test_descriptors_of_two_incarnations_are_never_equal_and_the_dead_touch_nothing() -> None:
    computer = Computer()
    first = computer.run(lambda: _append("/tmp/a", b"1"))
    second = computer.run(lambda: _append("/tmp/a", b"2"))
    assert first != second
    assert min(first, second) > 2**16
    with pytest.raises(OSError, match=f"Errno {errno.EBADF}"):
        computer.run(lambda: _outcome(computer, lambda: os.close(first)))


def _outcome(computer: Computer, call: Any) -> Any:
    """Raise what `call` raises out of the world."""
    try:
        return call()
    except OSError as error:
        computer.kernel.trouble = error
        raise


def test_a_lock_is_held_until_its_holder_dies_and_then_goes_to_who_waits() -> None:
    computer = Computer()
    times: list[int] = []

    def holder() -> None:
        fcntl.flock(_append("/tmp/lock", b""), fcntl.LOCK_EX)
        _forever(computer)

    def refused() -> str:
        number = _append("/tmp/lock", b"")
        with pytest.raises(BlockingIOError):
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(number, fcntl.LOCK_EX)
        times.append(computer.kernel.now)
        return "got it"

    first = computer.start(holder)
    computer.kernel.run(SECOND)
    computer.kernel.after(2 * SECOND, computer.kernel.kill, first)
    assert computer.run(refused) == "got it"
    assert times == [3 * SECOND]


def test_locks_of_ranges_belong_to_the_process_and_go_with_any_descriptor() -> None:
    computer = Computer()

    def holder() -> None:
        number = os.open("/tmp/lock", os.O_RDWR | os.O_CREAT)
        fcntl.lockf(number, fcntl.LOCK_EX, 10, 0)
        computer.kernel.sleep(SECOND)
        os.close(os.dup(number))
        _forever(computer)

    def other() -> list[str]:
        number = os.open("/tmp/lock", os.O_RDWR)
        fcntl.lockf(number, fcntl.LOCK_EX | fcntl.LOCK_NB, 10, 10)
        seen = []
        for _ in range(2):
            try:
                fcntl.lockf(number, fcntl.LOCK_SH | fcntl.LOCK_NB, 1, 5)
            except BlockingIOError:
                seen.append("barred")
            else:
                seen.append("free")
            computer.kernel.sleep(2 * SECOND)
        return seen

    computer.start(holder)
    computer.kernel.run(SECOND // 2)
    assert computer.run(other) == ["barred", "free"]


def test_a_failed_fsync_is_reported_once_to_each_open_file_and_proves_nothing() -> None:
    computer = Computer()
    computer.disk.put("/f", b"old")
    computer.disk.inject("os.fsync", errno.EIO, "/f", times=1)

    def program() -> list[str]:
        mine, other = os.open("/f", os.O_RDWR), os.open("/f", os.O_RDWR)
        os.write(mine, b"new")
        seen = []
        for number in (mine, mine, other, other, None):
            try:
                os.fsync(os.open("/f", os.O_RDONLY) if number is None else number)
            except OSError as error:
                seen.append(errno.errorcode[error.errno or 0])
            else:
                seen.append("ok")
        return [*seen, os.pread(mine, 9, 0).decode()]

    assert computer.run(program) == ["EIO", "ok", "EIO", "ok", "ok", "new"]
    computer.host.lose_power()
    assert computer.disk.cached("/f") == b"old"


def test_a_sync_takes_time_and_does_not_cover_what_is_written_meanwhile() -> None:
    computer = Computer()
    computer.disk.put("/f", b"")
    computer.disk.slow_ns = 50 * MILLISECOND

    def program(process: Process) -> int:
        number = os.open("/f", os.O_WRONLY)
        os.write(number, b"early ")

        def meanwhile() -> None:
            os.write(number, b"late")

        process.after(20 * MILLISECOND, process.spawn, meanwhile)
        before = computer.kernel.now
        os.fdatasync(number)
        return computer.kernel.now - before

    took = computer.run(lambda: program(computer.host.processes[-1]))
    assert 50 * MILLISECOND < took < 53 * MILLISECOND
    assert computer.disk.durable("/f") == b"early "
    assert computer.disk.cached("/f") == b"early late"
    assert computer.disk.slowed == 1


@pytest.mark.parametrize(("part", "found"), [(0.0, b""), (0.5, b"12345"), (1.0, b"1234567890")])
def test_a_crash_in_the_middle_of_a_write_leaves_its_part(part: float, found: bytes) -> None:
    computer = Computer()
    moment = Moment("program", "os.write", 2, part, "/tmp/*")
    _strike(computer, moment, computer.kernel.kill)

    def program() -> None:
        number = _append("/tmp/log", b"whole ")
        os.write(number, b"1234567890")

    computer.run(program)
    assert computer.disk.cached("/tmp/log") == b"whole " + found
    assert computer.disk.interrupted[0].done == len(found)


@pytest.mark.parametrize(("part", "survives"), [(0.0, False), (1.0, True)])
def test_power_lost_before_or_after_a_sync_but_never_acknowledged(
    part: float, survives: bool
) -> None:
    computer = Computer("posix", seed=3)
    computer.disk.put("/log", b"")
    moment = Moment("program", "os.fsync", 1, part, "/log")
    damages: list[Any] = []
    _strike(computer, moment, lambda process: damages.append(process.host.lose_power()))
    computer.disk.chance = Chosen()

    def program() -> None:
        os.fdatasync(_append("/log", b"data"))
        raise AssertionError("the sync must not return")

    computer.run(program)
    assert (computer.disk.cached("/log") == b"data") is survives
    assert damages[0].bites == (not survives)


def test_an_error_at_a_moment_is_what_the_program_sees() -> None:
    computer = Computer()

    def fail(_: Process) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    _strike(computer, Moment("program", "os.rename", 1, 0.0, "/tmp/new"), fail)

    def program() -> tuple[Any, bool]:
        _append("/tmp/old", b"")
        with pytest.raises(OSError) as caught:
            os.rename("/tmp/old", "/tmp/new")
        os.rename("/tmp/old", "/tmp/new")
        return (caught.value.errno, caught.value.filename2), os.path.exists("/tmp/new")

    assert computer.run(program) == ((errno.EIO, "/tmp/new"), True)


def test_a_full_disk_cuts_writes_short_and_then_refuses_them() -> None:
    computer = Computer()
    computer.disk.capacity = 10_000

    def program() -> tuple[int, Any]:
        number = _append("/tmp/f", b"x" * 9_990)
        short = os.write(number, b"y" * 20)
        with pytest.raises(OSError) as caught:
            os.write(number, b"y")
        with pytest.raises(OSError), open("/tmp/g", "w") as file:
            file.write("z" * 100)
        return short, caught.value.errno

    assert computer.run(program) == (10, errno.ENOSPC)


def test_a_read_only_file_system_is_read() -> None:
    computer = Computer()
    computer.disk.put("/f", b"content")
    computer.disk.read_only = True

    def program() -> bytes:
        calls: list[Callable[[], Any]] = [
            lambda: os.unlink("/f"),
            lambda: os.truncate("/f", 0),
            lambda: os.mkdir("/d"),
        ]
        for call in calls:
            with pytest.raises(OSError) as caught:
                call()
            assert caught.value.errno == errno.EROFS
        return pathlib.Path("/f").read_bytes()

    assert computer.run(program) == b"content"


def test_what_shows_the_real_machine_ends_the_run() -> None:
    for path, kind in (("/proc/self/stat", SimulationEscape), ("/sys/block", SimulationEscape)):
        computer = Computer()
        with pytest.raises(kind, match=path):
            computer.run(lambda path=path: os.open(path, os.O_RDONLY))  # type: ignore[misc]
    for call in (
        lambda: os.symlink("/tmp/a", "/tmp/b"),
        lambda: os.open("/tmp/a", os.O_RDWR | os.O_CREAT | os.O_DIRECT),
    ):
        with pytest.raises(SimulationError) as caught:
            Computer().run(call)
        assert isinstance(caught.value, Unmodelled)


def test_sources_are_a_read_only_mount_and_everything_else_is_the_hosts() -> None:
    source = json.__file__

    def program() -> tuple[str, bool, bool]:
        with open(source) as file:
            first = file.readline()
        with pytest.raises(OSError) as caught:
            open(source, "a").close()
        assert caught.value.errno == errno.EROFS
        return (
            first,
            os.path.exists("/etc/passwd"),
            "decoder.py" in os.listdir(os.path.dirname(source)),
        )

    with open(source) as file:
        assert Computer().run(program) == (file.readline(), False, True)


def test_the_standard_library_works_on_top() -> None:
    def program() -> dict[str, Any]:
        home = pathlib.Path("/var/lib/app/deep")
        home.mkdir(parents=True)
        (home / "a").write_text("text")
        (home / "a").rename(home / "b")
        shutil.copytree("/var/lib/app", "/tmp/copy")
        shutil.copy2(home / "b", "/tmp/copy/c")
        seen: dict[str, Any] = {
            "walk": [(path, sorted(names)) for path, _, names in os.walk("/tmp/copy")],
            "glob": [str(path) for path in home.glob("*")],
            "resolved": str((home / ".." / "deep").resolve()),
            "free": shutil.disk_usage("/").free > 0,
        }
        shutil.rmtree("/tmp/copy")
        with tempfile.TemporaryDirectory() as scratch:
            seen["scratch"] = scratch
            with tempfile.NamedTemporaryFile(dir=scratch) as file:
                file.write(b"x" * 10_000)
                file.flush()
                seen["size"] = os.path.getsize(file.name)
        with tempfile.TemporaryFile("w+") as file:
            file.write("gone")
        seen["left"] = os.listdir("/tmp")
        return seen

    seen = Computer().run(program)
    assert seen.pop("scratch").startswith("/tmp/")
    assert seen == {
        "walk": [("/tmp/copy", ["c"]), ("/tmp/copy/deep", ["b"])],
        "glob": ["/var/lib/app/deep/b"],
        "resolved": "/var/lib/app/deep",
        "free": True,
        "size": 10_000,
        "left": [],
    }


def test_every_byte_written_is_in_the_digest() -> None:
    def digest(content: bytes, name: str = "/tmp/f") -> str:
        computer = Computer()
        computer.run(lambda: os.fsync(_append(name, content)))
        return computer.kernel.trace.digest()

    assert digest(b"same") == digest(b"same")
    assert len({digest(b"same"), digest(b"Same"), digest(b"same", "/tmp/g")}) == 3


def test_standard_output_and_devices_are_there() -> None:
    def program() -> tuple[bytes, bytes, bool]:
        os.write(2, b"to standard error")
        with open("/dev/null", "w") as file:
            file.write("nowhere")
        with open("/dev/zero", "rb") as zeros:
            return zeros.read(3), os.read(0, 5), os.isatty(1)

    computer = Computer()
    assert computer.run(program) == (b"\0\0\0", b"", False)
    assert "to standard error" in computer.host.processes[0].stderr
