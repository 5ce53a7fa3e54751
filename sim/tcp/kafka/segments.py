"""One partition on disk: segment files of record batches, exactly as they go over the wire.

**Faithful** (`LogSegment.java`, `LogLoader.java`, `UnifiedLog.java`): a file for each segment,
named by its first offset; batches of format version 2 one behind another, as Kafka's own
`FileRecords.java` reads them; `partition.metadata` with the topic's id; at start every length and
checksum is verified and a torn tail is cut off; retention deletes files.
**Simplified**: no index files (places are kept in memory, from a scan at start), no checkpoint of
leader epochs (every batch carries its own). Where Kafka cuts a log off at damage in its middle and
drops all that follows, the partition is refused (`Damaged`): nothing here has another replica.
"""

import mmap
import os
import uuid
from collections.abc import Iterator
from pathlib import Path

from sim.kafka.batch import PREFIX, Batch, Record
from sim.kafka.errors import BatchError

_SUFFIX = ".log"
_METADATA = "partition.metadata"
_MAGIC_AT, _LENGTH_AT = 16, 8


class Damaged(Exception):
    """A log cannot be trusted: something in its middle is not what was written."""


class SegmentFile:
    """One segment's file; what is appended is written by `flush`."""

    __slots__ = ("_pending", "base_offset", "descriptor", "path", "size", "written")

    def __init__(self, path: Path, base_offset: int) -> None:
        self.path = path
        self.base_offset = base_offset
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        self.descriptor = os.open(path, flags, 0o644)
        self.written = self.size = os.fstat(self.descriptor).st_size
        self._pending: list[bytes] = []

    def append(self, data: bytes) -> int:
        """Put bytes at the end; return their place."""
        place = self.size
        self._pending.append(data)
        self.size += len(data)
        return place

    def flush(self) -> None:
        """Write what was appended."""
        data = b"".join(self._pending)
        self._pending.clear()
        at = 0
        while at < len(data):
            at += os.pwrite(self.descriptor, memoryview(data)[at:], self.written + at)
        self.written += len(data)

    def read(self, place: int, size: int) -> bytes:
        """Return bytes that were appended."""
        if place + size > self.written:
            self.flush()
        data = os.pread(self.descriptor, size, place)
        assert len(data) == size, f"{self.path} has become shorter than it was"
        return data

    def cut(self, size: int) -> None:
        """Forget what lies beyond `size`."""
        os.ftruncate(self.descriptor, size)
        self.written = self.size = size

    def sync(self) -> None:
        """Wait for the device."""
        os.fdatasync(self.descriptor)

    def close(self) -> None:
        """Give the file back."""
        os.close(self.descriptor)

    def delete(self) -> None:
        """Remove the file."""
        self.close()
        self.path.unlink(missing_ok=True)


class StoredBatch(Batch):
    """A batch whose bytes lie in a file; only its header is in memory."""

    __slots__ = ("_file", "_place")

    def __init__(self, batch: Batch, file: SegmentFile, place: int) -> None:
        self.base_offset = batch.base_offset
        self.leader_epoch = batch.leader_epoch
        self.attributes = batch.attributes
        self.base_timestamp = batch.base_timestamp
        self.max_timestamp = batch.max_timestamp
        self.producer_id = batch.producer_id
        self.producer_epoch = batch.producer_epoch
        self.base_sequence = batch.base_sequence
        self.stale = False
        self.count = batch.count
        self._size = batch.size
        self._file = file
        self._place = place

    @property
    def records(self) -> tuple[Record, ...]:
        """The records, read again each time."""
        return Batch.decode(self.encode()).records

    def payload(self) -> bytes:
        """Return the bytes of the records."""
        return Batch.decode(self.encode()).payload()

    def encode(self) -> bytes:
        """Return the batch as it lies in its file."""
        return self._file.read(self._place, self._size)


class PartitionDirectory:
    """The files of one partition, `TOPIC-PARTITION` in the broker's directory."""

    def __init__(self, path: Path, topic_id: uuid.UUID) -> None:
        self.path = path
        self.topic_id = topic_id
        self.files: dict[int, SegmentFile] = {}  # by base offset, ascending
        self.named = False  # whether there is a new file whose name may not be durable yet

    @staticmethod
    def topic_id_of(path: Path) -> uuid.UUID | None:
        """Return the id of the topic that a directory belongs to, None if it does not say."""
        try:
            lines = (path / _METADATA).read_text().splitlines()
            return uuid.UUID(dict(line.split(": ") for line in lines)["topic_id"])
        except (OSError, ValueError, KeyError):
            return None

    def open(self) -> None:
        """Make the directory or open what is in it."""
        if not self.path.is_dir():
            self.path.mkdir(parents=True)
        if self.topic_id_of(self.path) is None:
            (self.path / _METADATA).write_text(f"version: 0\ntopic_id: {self.topic_id}\n")
        for path in sorted(self.path.glob("*" + _SUFFIX)):
            base_offset = int(path.stem)
            self.files[base_offset] = SegmentFile(path, base_offset)

    def segment(self, base_offset: int) -> SegmentFile:
        """Return the file of a segment; it is made when it is new."""
        file = self.files.get(base_offset)
        if file is None:
            path = self.path / f"{base_offset:020}{_SUFFIX}"
            file = self.files[base_offset] = SegmentFile(path, base_offset)
            self.named = True
        return file

    def sync_names(self) -> None:
        """Make the names of new files durable."""
        if self.named:
            self.named = False
            sync_directory(self.path)
            sync_directory(self.path.parent)

    def keep(self, base_offsets: set[int]) -> None:
        """Delete the files of all other segments."""
        for base_offset in [known for known in self.files if known not in base_offsets]:
            self.files.pop(base_offset).delete()

    def batches(self, file: SegmentFile) -> Iterator[StoredBatch]:
        """Yield the sound batches of a segment; cut a torn tail off, raise `Damaged` else."""
        if not file.size:
            return
        at, expected = 0, file.base_offset
        with mmap.mmap(file.descriptor, file.size, access=mmap.ACCESS_READ) as data:
            while at < len(data):
                batch = _sound(data, at)
                if batch is None or batch.base_offset != expected:
                    self._check_torn(file, data, at)
                    break
                yield StoredBatch(batch, file, at)
                at += batch.size
                expected += batch.count
        if at < file.size:
            file.cut(at)

    def _check_torn(self, file: SegmentFile, data: mmap.mmap, at: int) -> None:
        """Raise `Damaged` unless what begins at `at` can be the rest of a write cut short."""
        last = file.base_offset == max(self.files)
        following = _next_sound(data, at + 1)
        if not last or following is not None:
            where = "" if following is None else f", sound again at byte {following}"
            raise Damaged(f"{file.path} is damaged at byte {at} of {len(data)}{where}")

    def refuse(self, file: SegmentFile, expected: int) -> None:
        """Raise `Damaged`: a segment does not begin where the one before it ends."""
        raise Damaged(f"{file.path} does not go on at offset {expected}: a file is missing or torn")

    def close(self) -> None:
        """Give the files back."""
        for file in self.files.values():
            file.close()
        self.files.clear()


def sync_directory(path: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sound(data: mmap.mmap, at: int) -> Batch | None:
    if len(data) - at < PREFIX:
        return None
    length = int.from_bytes(data[at + _LENGTH_AT : at + PREFIX], signed=True)
    end = at + PREFIX + length
    if length < 0 or end > len(data):
        return None
    try:
        return Batch.decode(data[at:end])
    except BatchError:
        return None


def _next_sound(data: mmap.mmap, at: int) -> int | None:
    """Return where the next sound batch begins, from `at` on."""
    while (magic := data.find(b"\x02", at + _MAGIC_AT)) >= 0:
        at = magic - _MAGIC_AT
        if _sound(data, at) is not None:
            return at
        at += 1
    return None
