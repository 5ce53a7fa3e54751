"""What may be open and is no file of the disk: standard streams, devices, source files."""

import errno
import os
from typing import Any

from sim.disk import Disk, Inode
from sim.doors import processes
from sim.doors.files.hanging import REAL
from sim.doors.files.opened import Open, error_of, stat_result
from sim.process import Process, outside


class Device(Open):
    """Something outside the disk with the interface of an open file."""

    __slots__ = ()

    def __init__(self, disk: Disk, path: str, flags: int, content: bytes = b"") -> None:
        super().__init__(disk, Inode(0, path, 0o20666, directory=False), flags)
        self.inode.data += content

    def read_at(self, process: Process, offset: int, size: int) -> bytes:
        """Nothing to read."""
        return b""

    def write_at(self, process: Process, offset: int, content: Any) -> int:
        """Take everything."""
        return memoryview(content).nbytes

    def sync(self, process: Process, *, data_only: bool) -> None:
        """Refuse, as devices do."""
        raise error_of(errno.EINVAL)

    def truncate(self, process: Process, size: int) -> None:
        """Refuse, as devices do."""
        raise error_of(errno.EINVAL)

    def stat(self) -> os.stat_result:
        """Return the stat of a device."""
        return stat_result(self.inode.mode, 5, 1, 0, 0, 0)

    def dropped(self, process: Process) -> None:
        """Note that one descriptor is closed."""
        self.references -= 1


class Zero(Device):
    """``/dev/zero``."""

    __slots__ = ()

    def read_at(self, process: Process, offset: int, size: int) -> bytes:
        """Read zeros."""
        return bytes(size)


class Entropy(Device):
    """``/dev/urandom`` and ``/dev/random``: what ``os.urandom`` gives in this process."""

    __slots__ = ()

    def read_at(self, process: Process, offset: int, size: int) -> bytes:
        """Read from the process's own entropy."""
        return os.urandom(size)


class Source(Device):
    """A real source file, read-only."""

    __slots__ = ("real",)

    def __init__(self, disk: Disk, path: str) -> None:
        with outside():
            with REAL["io.open"](path, "rb") as file:
                content = file.read()
            self.real: os.stat_result = REAL["os.stat"](path)
        super().__init__(disk, path, os.O_RDONLY, content)

    def read_at(self, process: Process, offset: int, size: int) -> bytes:
        """Read from the content taken when it was opened."""
        return bytes(self.inode.data[offset : offset + size])

    def stat(self) -> os.stat_result:
        """Return the real stat."""
        return self.real


class Standard(Device):
    """Standard input (at its end), output or error of a process."""

    __slots__ = ("number",)

    def __init__(self, number: int, disk: Disk) -> None:
        path = ("/dev/stdin", "/dev/stdout", "/dev/stderr")[number]
        super().__init__(disk, path, os.O_RDWR)
        self.number = number

    def write_at(self, process: Process, offset: int, content: Any) -> int:
        """Append to what the process wrote."""
        raw = bytes(memoryview(content))
        kept = process.stderr if self.number == 2 else processes.of(process).stdout_text
        kept.append(raw.decode("utf-8", "backslashreplace"))
        return len(raw)


def device(disk: Disk, path: str, flags: int) -> Device:
    """Open one of the devices there are."""
    kind = {"/dev/null": Device, "/dev/zero": Zero}.get(path, Entropy)
    return kind(disk, path, flags)
