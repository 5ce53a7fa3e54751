"""What is up in a folder: a file for those who ask, and a lock held by the one who owns it.

The lock is the kernel's: it is free as soon as its owner is dead, however that came.
"""

import fcntl
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

import msgspec

from scenarios.backends.base import Address
from scenarios.backends.identity import Identity
from scenarios.errors import Infrastructure

FILE, LOCK, USER_LOCK = "state.json", "owner.lock", "user.lock"


class ServerState(msgspec.Struct, frozen=True, kw_only=True):
    """One server as its owner last saw it."""

    name: str
    role: str
    address: Address
    advertised: Address
    log: str
    pid: int | None  # None: it has ended


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A back end as its owner last saw it."""

    kind: str
    phase: Literal["starting", "up", "stopping"]
    owner: Identity
    bootstrap: str
    contact_points: tuple[str, ...]
    cql_port: int
    replication: int  # how many replicas a partition of a topic can have
    versions: dict[str, str]
    servers: tuple[ServerState, ...]


def read(folder: Path) -> State | None:
    """Return the state kept in `folder`, whether or not its owner lives."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=State)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, OSError) as error:
        raise Infrastructure(f"{folder / FILE} cannot be read: {error}; move it away") from None


def write(folder: Path, state: State) -> None:
    """Replace the state at once."""
    new = folder / (FILE + ".new")
    new.write_bytes(msgspec.json.format(msgspec.json.encode(state)) + b"\n")
    new.replace(folder / FILE)


def owned(folder: Path) -> bool:
    """Whether somebody holds the lock of `folder`."""
    return _held(folder / LOCK)


def used(folder: Path) -> bool:
    """Whether a run uses the servers in `folder`."""
    return _held(folder / USER_LOCK)


def _held(path: Path) -> bool:
    try:
        with path.open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


@contextmanager
def owning(folder: Path) -> Generator[None]:
    """Hold the lock of `folder`; `Infrastructure` if somebody else does.

    If nothing came to be in the folder, nothing is left: neither the lock nor a folder made for it.
    """
    made = not folder.exists()
    lock = _locked(folder)
    try:
        yield
    finally:
        with suppress(OSError):  # somebody else has removed it, or filled it
            if os.listdir(folder) == [LOCK]:
                (folder / LOCK).unlink()
                if made:
                    folder.rmdir()
        os.close(lock)


def _locked(folder: Path) -> int:
    path = folder / LOCK
    while True:
        try:
            folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise Infrastructure(f"{folder}: {error.strerror}; choose another folder") from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            raise Infrastructure(f"{folder} belongs to a back end that is up already") from None
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(lock), path.stat()):
                return lock
        os.close(lock)  # its last owner has just removed it
