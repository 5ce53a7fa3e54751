"""Reading the log: what is there, what was torn by a crash, and what cannot be decided.

Works on `{file name: bytes}`, so that an image taken from anywhere can be read, and changes
nothing. Files are named by generation and first LSN. A file supersedes all files of lower
generation that begin at or after its first LSN, damaged or not, because it got its name only
after their whole valid tail had been copied into it and synced.

A frame that does not hold is a *torn tail* only if all of this is true, else a halt:

- it is in the last file, and nothing found anywhere claims that it was ever synced;
- no valid frame behind it claims so either (a later batch is written only after the sync of the
  one before, so such a frame proves that bytes went bad which once were durable);
- it and all bytes behind it are no more than is ever written between two syncs.

A log that snapshots have cut begins later than at LSN 1; whoever reads it says up to which LSN it
needs none of it.

A tail of frames that was synced but is claimed by no later frame looks torn when it rots. That
case is decided outside: what was published is found in the output partitions, above the log's own
numbers, and what was not is still in the input.
"""

import os
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from system.errors import Halt, LogError
from system.wal.frames import AnyBody
from system.wal.packing import (
    HEADER_BYTES,
    MAGIC,
    MAX_UNSYNCED,
    Frame,
    Header,
    unpack,
    unpack_header,
)

_NAME = re.compile(r"wal-(\d{8})-(\d{16})\.log", re.ASCII)


class Torn(NamedTuple):
    """Bytes at the end of the last file that a crash left and nobody was ever promised."""

    file: str
    offset: int
    size: int


class Contents(NamedTuple):
    """A log that was read to its end."""

    files: tuple[str, ...]  # in order; superseded ones are not among them
    superseded: tuple[str, ...]
    headers: tuple[Header, ...]
    frames: tuple[Frame, ...]
    torn: Torn | None

    @property
    def last_lsn(self) -> int:
        """The LSN of the last valid frame; of the one before the first file if there is none."""
        return self.frames[-1].lsn if self.frames else self.headers[-1].first_lsn - 1

    def records(self) -> list[tuple[int, AnyBody]]:
        """Return (LSN, body) of every frame, in order."""
        return [(frame.lsn, frame.body) for frame in self.frames]


def file_name(generation: int, first_lsn: int) -> str:
    """Return the name of a log file."""
    return f"wal-{generation:08d}-{first_lsn:016d}.log"


def read_directory(path: str, from_lsn: int = 1) -> dict[str, bytes]:
    """Return the log files of a directory; temporary and foreign files are left out.

    So are the files that end before `from_lsn`.
    """
    contents = {}
    found = [name for name in sorted(os.listdir(path)) if _NAME.fullmatch(name)]
    unneeded = before(effective(found)[0], from_lsn)
    for name in found:
        if name not in unneeded:
            try:
                with open(os.path.join(path, name), "rb") as file:
                    contents[name] = file.read()
            except OSError as error:
                raise LogError(f"reading {os.path.join(path, name)}: {error}") from error
    return contents


def read(files: Mapping[str, bytes], covered_lsn: int = 0) -> Contents:
    """Read a log, or halt where it cannot be decided what it said.

    A snapshot covers the frames up to `covered_lsn`: files with these alone may be gone.
    """
    names, superseded = effective(files)
    if not names:
        raise Halt("log_missing", "there is no log file; restore the directory from its disk")
    headers = tuple(header_of(name, files[name]) for name in names)
    if headers[0].first_lsn > covered_lsn + 1:
        raise Halt(
            "log_gap",
            f"{names[0]} begins at LSN {headers[0].first_lsn}, LSN {covered_lsn + 1} is missing",
        )
    frames: list[Frame] = []
    torn = None
    for place, name in enumerate(names):
        _join(name, headers[place], headers[place - 1] if place else None, frames)
        torn = _read_file(name, files[name], headers[place], frames)
        if torn is not None:
            decide(torn, files[name], headers, frames, last=place == len(names) - 1)
    return Contents(names, superseded, headers, tuple(frames), torn)


def effective(files: Iterable[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Split the file names into those that count, in LSN order, and those superseded."""
    matches = [match for name in sorted(files) if (match := _NAME.fullmatch(name)) is not None]
    parsed = [(int(match.group(2)), int(match.group(1)), match.group()) for match in matches]
    counts: list[str] = []
    superseded: list[str] = []
    for first, generation, name in sorted(parsed):
        over = any(g > generation and f <= first for f, g, _ in parsed)
        (superseded if over else counts).append(name)
    return tuple(counts), tuple(superseded)


def before(names: tuple[str, ...], lsn: int) -> tuple[str, ...]:
    """Return those of a log's files, given in order, that end before `lsn`."""
    firsts = [int(match.group(2)) for name in names if (match := _NAME.fullmatch(name))]
    return tuple(name for name, first in zip(names, firsts[1:], strict=False) if first <= lsn)


def header_of(name: str, data: bytes) -> Header:
    header = unpack_header(name, data)
    if name != file_name(header.generation, header.first_lsn):
        own = file_name(header.generation, header.first_lsn)
        raise Halt("log_damaged", f"{name} offset 0: the file says that it is {own}")
    return header


def _join(name: str, header: Header, before: Header | None, frames: list[Frame]) -> None:
    """Check that a file continues the one before it without a hole."""
    if before is None:
        return
    expected = frames[-1].lsn + 1 if frames else before.first_lsn
    if header.first_lsn != expected:
        raise Halt("log_gap", f"{name} begins at LSN {header.first_lsn}, LSN {expected} is missing")
    if header.previous != (frames[-1].crc if frames else before.previous):
        raise Halt("log_damaged", f"{name} offset 0: does not follow the file before it")
    if (header.shard, header.identity) != (before.shard, before.identity):
        raise Halt("log_foreign", f"{name} belongs to another data directory")
    if header.generation < before.generation:
        raise Halt("log_damaged", f"{name} has an older generation than the file before it")


def _read_file(name: str, data: bytes, header: Header, frames: list[Frame]) -> Torn | None:
    """Append the file's frames up to its end, or up to the first that does not hold."""
    offset = HEADER_BYTES
    previous, lsn = header.previous, header.first_lsn
    while offset < len(data):
        frame = unpack(name, data, offset)
        if frame is None or (frame.lsn, frame.previous, frame.generation) != (
            lsn,
            previous,
            header.generation,
        ):
            return Torn(name, offset, len(data) - offset)
        frames.append(frame)
        offset += frame.size
        previous, lsn = frame.crc, lsn + 1
    if lsn <= header.synced_lsn:  # cut off exactly between two frames
        return Torn(name, offset, 0)
    return None


def decide(
    torn: Torn, data: bytes, headers: tuple[Header, ...], frames: list[Frame], *, last: bool
) -> None:
    """Return if the damage is a torn tail; halt if it is anything else."""
    lost = frames[-1].lsn + 1 if frames else 1
    place = f"{torn.file} offset {torn.offset}"
    claim = max(headers[-1].synced_lsn, max((f.synced_lsn for f in frames), default=0))
    if not last:
        raise Halt("log_damaged", f"{place}: damaged, but later files exist (LSN {lost})")
    if lost <= claim:
        raise Halt("log_damaged", f"{place}: LSN {lost} was synced (up to {claim}) and is damaged")
    later = _later_claim(torn, data, headers[-1].generation, lost)
    if later is not None:
        raise Halt(
            "log_damaged",
            f"{place}: LSN {lost} is damaged, yet the frame at offset {later.offset}"
            f" (LSN {later.lsn}) says that it was synced",
        )
    if torn.size > MAX_UNSYNCED:
        raise Halt("log_damaged", f"{place}: {torn.size} damaged bytes are more than a torn tail")


def _later_claim(torn: Torn, data: bytes, generation: int, lost: int) -> Frame | None:
    """Search behind the damage for a valid frame that claims the lost one as synced."""
    offset = torn.offset
    while (found := data.find(MAGIC, offset)) >= 0:
        offset = found + 1
        start = found - 4  # the length stands before the magic
        if start >= torn.offset and start % 8 == 0:
            frame = unpack(torn.file, data, start)
            if frame is not None and frame.generation == generation and frame.synced_lsn >= lost:
                return frame
    return None
