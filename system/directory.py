"""A program's data directory: whose it is, and that only one process has it.

`directory.json` is written once, last of all, by `init`: a directory without it was never
finished and holds nothing. What it says never changes in place.
"""

import fcntl
import os
import secrets
from typing import Generic, TypeVar
from zlib import crc32

import msgspec

from system.errors import ConfigError, Halt, Locked, LogError
from system.topics import PARTITIONER

FILE = "directory.json"
LOCK = "lock"
VERSION = 1


class Identity(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a data directory belongs to; `identity` is in every file that lies in it."""

    v: int = VERSION
    partitions: int
    partitioner: str = PARTITIONER
    cluster_id: str
    topic_ids: dict[str, str]
    identity: int = msgspec.field(default_factory=lambda: secrets.randbits(63))

    @property
    def sealed(self) -> bytes:
        """Return the file's bytes: one line of JSON and one with its checksum."""
        line = msgspec.json.encode(self)
        return line + b"\n%08x\n" % crc32(line)


T = TypeVar("T", bound=Identity)


class DataDirectory(Generic[T]):
    """One process's directory; hold the lock for as long as the process lives."""

    def __init__(self, path: str, identity_type: type[T]) -> None:
        self.path = path
        self._type = identity_type
        self._lock = -1

    def make(self) -> None:
        """Make the directory itself, durably."""
        try:
            os.makedirs(self.path, mode=0o700, exist_ok=True)
            sync_directory(os.path.dirname(os.path.abspath(self.path)))
        except OSError as error:
            raise LogError(f"making {self.path}: {error}") from error

    def lock(self) -> None:
        """Take the directory, or say that another process has it."""
        path = os.path.join(self.path, LOCK)
        try:
            self._lock = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Locked(f"{self.path} is in use by another process; stop that one first") from None
        except FileNotFoundError:
            raise ConfigError(f"{self.path} does not exist; run `init` once to make it") from None
        except OSError as error:
            raise LogError(f"locking {path}: {error}") from error

    def unlock(self) -> None:
        """Give the directory back."""
        if self._lock >= 0:
            descriptor, self._lock = self._lock, -1
            os.close(descriptor)

    def identity(self) -> T | None:
        """Return whose directory it is; None if `init` never finished."""
        path = os.path.join(self.path, FILE)
        try:
            with open(path, "rb") as file:
                content = file.read()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LogError(f"reading {path}: {error}") from error
        line, _, seal = content.partition(b"\n")
        if seal != b"%08x\n" % crc32(line):
            raise Halt("directory_damaged", f"{path}: the checksum does not fit")
        try:
            return msgspec.json.decode(line, type=self._type)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Halt("directory_damaged", f"{path}: {error}") from None

    def owner(self) -> T:
        """Return whose directory it is; refuse one that `init` never finished."""
        found = self.identity()
        if found is None:
            raise ConfigError(f"{self.path} is no data directory yet; run `init` once to make it")
        return found

    def refuse_finished(self) -> None:
        """Refuse a directory that was made before: it is made only once."""
        if self.identity() is not None:
            raise ConfigError(f"{self.path} exists; a data directory is made only once")

    def seal(self, identity: T) -> None:
        """Say whose directory it is, durably."""
        path = os.path.join(self.path, FILE)
        try:
            write_durably(path, identity.sealed)
        except OSError as error:
            raise LogError(f"writing {path}: {error}") from error


def write_durably(path: str, content: bytes) -> None:
    """Write a small file so that, whatever happens, the old or the new one is found whole."""
    with open(path + ".tmp", "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(path + ".tmp", path)
    sync_directory(os.path.dirname(path))


def sync_directory(path: str) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
