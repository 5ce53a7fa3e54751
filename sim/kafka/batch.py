"""A record batch: what a producer sends, a log keeps and a consumer gets, never taken apart.

Inside a world a batch is this object: a header and a tuple of records. On a wire it is the bytes
of Kafka's format version 2 (KIP-98, `DefaultRecordBatch.java`): `encode` and `decode` turn one
into the other. A broker re-places a batch without touching its records: base offset and leader
epoch lie outside the checksum, on the wire too.

**Faithful**: sizes are those of the encoded batch; a LogAppendTime batch carries one time for all
its records; a damaged or malformed batch is told from a sound one; a compressed batch is kept as it
came and opened only to look at its records; a batch whose records were taken out keeps its offsets.
**Simplified**: batches made in a world are not compressed.
"""

# ruff: noqa: SLF001  (a batch fills in the private slots of the batch it returns)

import marshal
import struct

from crc32c import crc32c

from sim.kafka import varint
from sim.kafka.compression import decompressed
from sim.kafka.errors import BatchError, OldFormat

Headers = tuple[tuple[str, bytes | None], ...]
Record = tuple[bytes | None, bytes | None, Headers, int]  # key, value, headers, timestamp in ms

HEADER_SIZE = 61
PREFIX = 12  # bytes before what a batch's length counts
LOG_APPEND_TIME = 0x08
TRANSACTIONAL = 0x10
CONTROL = 0x20
_CODEC = 0x07

_PLACE = struct.Struct(">qii")  # base offset, length of the rest, leader epoch
_SUM = struct.Struct(">BI")  # magic, checksum of what follows
_REST = struct.Struct(">hiqqqhii")  # attributes ... number of records
_CHECKED_FROM = _PLACE.size + _SUM.size
_ALL = struct.Struct(">qihiqqqhii")


class Batch:
    """Records with one header. Treat it as frozen; `placed` gives a changed one."""

    __slots__ = (
        "_body",
        "_fingerprint",
        "_records",
        "_size",
        "attributes",
        "base_offset",
        "base_sequence",
        "base_timestamp",
        "count",
        "leader_epoch",
        "max_timestamp",
        "producer_epoch",
        "producer_id",
        "stale",
    )

    def __init__(
        self,
        records: tuple[Record, ...],
        producer_id: int = -1,
        producer_epoch: int = -1,
        base_sequence: int = -1,
    ) -> None:
        self.base_offset = 0
        self.leader_epoch = -1
        self.attributes = 0
        self.base_timestamp = records[0][3] if records else -1
        self.max_timestamp = max([record[3] for record in records], default=-1)
        self.producer_id = producer_id
        self.producer_epoch = producer_epoch
        self.base_sequence = base_sequence
        self.count = len(records)  # of its offsets, also when the records were taken out
        self._records: tuple[Record, ...] | None = records
        self.stale = False  # whether the checksum is that of other records
        self._body: bytes | None = None  # the records as bytes of the wire, if they came from one
        self._fingerprint: bytes | None = None  # of the records
        self._size = -1

    @property
    def records(self) -> tuple[Record, ...]:
        """The records, each with its own timestamp; see `timestamp` for the one that counts."""
        if self._records is None:
            self._records = self._read_records()
        return self._records

    @property
    def last_offset(self) -> int:
        """The offset of the last record."""
        return self.base_offset + self.count - 1

    @property
    def last_sequence(self) -> int:
        """The producer's sequence number of the last record; it wraps at 2**31."""
        if self.base_sequence < 0:
            return -1
        return (self.base_sequence + self.count - 1) & 0x7FFFFFFF

    @property
    def codec(self) -> int:
        """How the records are compressed: 0 not at all, 1 gzip, 2 snappy, 3 lz4, 4 zstd."""
        return self.attributes & _CODEC

    @property
    def log_append_time(self) -> bool:
        """Whether the broker's time replaces that of every record."""
        return bool(self.attributes & LOG_APPEND_TIME)

    def timestamp(self, record: Record) -> int:
        """Return the time of `record`, in ms, that a consumer sees."""
        return self.max_timestamp if self.attributes & LOG_APPEND_TIME else record[3]

    @property
    def size(self) -> int:
        """How many bytes the batch has on a wire and in a log."""
        if self._size < 0:
            if self._body is not None:
                self._size = HEADER_SIZE + len(self._body)
            else:
                base = self.base_timestamp
                sizes = [varint.record_size(r, base, i) for i, r in enumerate(self.records)]
                self._size = HEADER_SIZE + sum(sizes)
        return self._size

    def placed(self, base_offset: int, leader_epoch: int, append_time: int = -1) -> "Batch":
        """Return the same records at their place in a log; `append_time` >= 0 is LogAppendTime."""
        placed = Batch.__new__(Batch)
        placed.base_offset = base_offset
        placed.leader_epoch = leader_epoch
        placed.attributes = self.attributes
        placed.base_timestamp = self.base_timestamp
        placed.max_timestamp = self.max_timestamp
        if append_time >= 0:
            placed.attributes |= LOG_APPEND_TIME
            placed.max_timestamp = append_time
        else:
            placed.attributes &= ~LOG_APPEND_TIME
        placed.producer_id = self.producer_id
        placed.producer_epoch = self.producer_epoch
        placed.base_sequence = self.base_sequence
        placed.stale = self.stale
        placed.count = self.count
        placed._records = self._records
        placed._body = self._body
        placed._fingerprint = self._fingerprint
        placed._size = self._size
        return placed

    def part(self, records: tuple[Record, ...], at: int) -> "Batch":
        """Return a batch of other records under this header, the first in the place of number `at`.

        Compression is undone.
        """
        sequence = (self.base_sequence + at) & 0x7FFFFFFF if self.base_sequence >= 0 else -1
        part = Batch(records, self.producer_id, self.producer_epoch, sequence)
        part.base_offset = self.base_offset + at
        part.leader_epoch = self.leader_epoch
        part.attributes = self.attributes & ~_CODEC
        part.max_timestamp = self.max_timestamp
        part.stale = self.stale
        return part

    def emptied(self, at: int) -> "Batch":
        """Return a batch that has nothing but the offset of the record with number `at`."""
        empty = self.part((), at)
        empty.count = 1
        return empty

    def payload(self) -> bytes:
        """Return bytes that change with every part of every record."""
        if self._fingerprint is None:
            body = self._body
            self._fingerprint = marshal.dumps(self._records, 2) if body is None else body
        return self._fingerprint

    def fingerprint(self) -> bytes:
        """Return bytes that change with every part of header and records."""
        return self._head() + self.payload()

    def encode(self) -> bytes:
        """Return the batch as bytes of format version 2."""
        if self._body is None:
            base = self.base_timestamp
            self._body = b"".join(
                [varint.record(record, base, i) for i, record in enumerate(self.records)]
            )
        body = self._body
        checked = (
            _REST.pack(
                self.attributes,
                self.count - 1,
                self.base_timestamp,
                self.max_timestamp,
                self.producer_id,
                self.producer_epoch,
                self.base_sequence,
                self.count if body else 0,
            )
            + body
        )
        rest = _PLACE.size - 8 - 4 + _SUM.size + len(checked)
        place = _PLACE.pack(self.base_offset, rest, self.leader_epoch)
        return place + _SUM.pack(2, crc32c(checked) ^ self.stale) + checked

    @staticmethod
    def decode(data: bytes) -> "Batch":
        """Read one batch that fills `data`; its records are read when somebody asks for them."""
        if len(data) < HEADER_SIZE:
            raise BatchError(f"{len(data)} bytes are too few for a batch")
        base_offset, length, leader_epoch = _PLACE.unpack_from(data)
        magic, checksum = _SUM.unpack_from(data, _PLACE.size)
        if magic in (0, 1):
            raise OldFormat(f"record format version {magic} is not spoken")
        if magic != 2:
            raise BatchError(f"there is no record format version {magic}")
        if length + PREFIX != len(data):
            raise BatchError(f"the batch says {length + PREFIX} bytes and has {len(data)}")
        if crc32c(memoryview(data)[_CHECKED_FROM:]) != checksum:
            raise BatchError("the checksum does not match")
        batch = Batch.__new__(Batch)
        batch.base_offset, batch.leader_epoch = base_offset, leader_epoch
        (
            batch.attributes,
            last_delta,
            batch.base_timestamp,
            batch.max_timestamp,
            batch.producer_id,
            batch.producer_epoch,
            batch.base_sequence,
            batch.count,
        ) = _REST.unpack_from(data, _CHECKED_FROM)
        if batch.count < 1 or last_delta != batch.count - 1:
            raise BatchError(f"{batch.count} records cannot end at offset delta {last_delta}")
        batch.stale = False
        batch._records = batch._fingerprint = None
        batch._body = data[HEADER_SIZE:]
        batch._size = len(data)
        return batch

    @staticmethod
    def decode_all(data: bytes) -> "tuple[Batch, ...]":
        """Read batches that stand one behind another; a torn last one is left out."""
        found, at = [], 0
        while len(data) - at >= PREFIX:
            end = at + PREFIX + int.from_bytes(data[at + 8 : at + PREFIX])
            if end > len(data):
                break
            found.append(Batch.decode(data[at:end]))
            at = end
        return tuple(found)

    def _head(self) -> bytes:
        return _ALL.pack(
            self.base_offset,
            self.leader_epoch,
            self.attributes,
            self.count,
            self.base_timestamp,
            self.max_timestamp,
            self.producer_id,
            self.producer_epoch,
            self.base_sequence,
            0,
        )

    def _read_records(self) -> tuple[Record, ...]:
        body = self._body
        assert body is not None
        if self.codec:
            body = decompressed(self.codec, body)
        records, at = [], 0
        try:
            for index in range(self.count):
                record, at = varint.read_record(body, at, self.base_timestamp, index)
                records.append(record)
        except (IndexError, ValueError) as error:
            raise BatchError(f"record {len(records)} is malformed: {error}") from error
        if at != len(body):
            raise BatchError(f"{len(body) - at} bytes follow the last record")
        return tuple(records)
