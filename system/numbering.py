"""The numbers of one partition's records: which to apply, which to drop, where a hole is open.

Each record carries (shard, epoch, n). A consumer keeps, per shard, the n it expects and the epoch
of the record before it; both travel in the metadata of the offset commit, as of exactly that
offset. Nothing here touches Kafka.
"""

from collections.abc import Callable
from typing import ClassVar, Protocol, TypeVar

import msgspec

from system.errors import Halt
from system.holes import Hole, Sequences, Verdict
from system.records import Numbered

METADATA_BYTES_MAX = 4096  # the broker's default limit


class Expected(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What comes next from a shard: n, and the epoch of the record before it."""

    n: int = 1
    epoch: int = 0
    epoch_bits: str = ""


class Progress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A consumer's state as of an offset: what it expects from each shard."""

    v: int = 1
    shards: dict[int, Expected]


class Numbering(Sequences[Numbered]):
    """Judges the records of one partition in the order of their offsets."""

    record: ClassVar[str] = "record"
    of: ClassVar[str] = "shard"
    sender: ClassVar[str] = "sender"

    def __init__(
        self, where: str, shards: dict[int, Expected], hole_ms_max: int, *, shared: bool = False
    ) -> None:
        super().__init__(where, hole_ms_max)
        self.shared = shared  # fed by all shards, not by one
        self.shards = dict(shards)

    def judge(self, record: Numbered, offset: int, append_time_ms: int) -> Verdict:
        """Return what to do with a record, or halt where two logs of one shard show."""
        expected = self.shards.get(record.shard, Expected())
        self._check_epoch(record, expected, offset)
        if record.n < expected.n:
            return Verdict.DUPLICATE
        if record.n > expected.n:
            hole = Hole(expected=expected.n, offset=offset, append_time_ms=append_time_ms)
            return self.discard(record.shard, record.n, hole)
        self.shards[record.shard] = Expected(record.n + 1, record.epoch, record.epoch_bits)
        self.holes.pop(record.shard, None)
        return Verdict.APPLY

    def metadata(self) -> str:
        """Return the state as commit metadata.

        While a hole is open nothing is applied, so this stays the state as of the hole's offset.
        """
        text = encode_metadata(self.shards)
        if len(text) > METADATA_BYTES_MAX:
            raise Halt(
                "metadata_too_large",
                f"{self.where}: the state of {len(self.shards)} shards needs {len(text)} bytes of "
                f"commit metadata, more than {METADATA_BYTES_MAX}",
            )
        return text

    def _check_epoch(self, record: Numbered, expected: Expected, offset: int) -> None:
        """Halt if the record shows that a second log or a second shard speaks here."""
        if record.n < 1:
            self._halt(record, expected, offset, "is numbered below 1")
        if self.shards and record.shard not in self.shards and not self.shared:
            self._halt(record, expected, offset, "comes from a second shard of this partition")
        if expected.n == 1 or record.n > expected.n:
            return
        if record.epoch == expected.epoch and record.epoch_bits != expected.epoch_bits:
            self._halt(record, expected, offset, "carries the same epoch with other bits")
        if record.n == expected.n and record.epoch < expected.epoch:
            self._halt(record, expected, offset, "comes from an older epoch")
        if record.n < expected.n and record.epoch > expected.epoch:
            self._halt(record, expected, offset, "gives an old number to a newer epoch's record")

    def _halt(self, record: Numbered, expected: Expected, offset: int, why: str) -> None:
        raise Halt(
            "numbering",
            f"{self.where}, offset {offset}: record {record.n} of shard {record.shard} "
            f"(epoch {record.epoch}/{record.epoch_bits}) {why}; expected is {expected.n} after "
            f"epoch {expected.epoch}/{expected.epoch_bits}",
        )


def encode_metadata(shards: dict[int, Expected]) -> str:
    """Return the state as a string for the metadata of an offset commit."""
    return _encode(Progress(shards=dict(sorted(shards.items())))).decode()


def decode_metadata(text: str | None, where: str) -> dict[int, Expected]:
    """Read the state out of commit metadata; without it the position means nothing: halt."""
    return read_metadata(_decode, text, where).shards


class Versioned(Protocol):
    """A state that says in which format it is."""

    @property
    def v(self) -> int:
        """The format version."""


_State = TypeVar("_State", bound=Versioned)


def read_metadata(decode: Callable[[str], _State], text: str | None, where: str) -> _State:
    """Read any state out of commit metadata; missing, unreadable or newer: halt."""
    if not text:
        raise Halt("metadata", f"{where}: the committed offset carries no metadata")
    try:
        progress = decode(text)
    except msgspec.MsgspecError as error:
        raise Halt(
            "metadata", f"{where}: commit metadata {text[:80]!r} is unreadable: {error}"
        ) from error
    if progress.v != 1:
        raise Halt(
            "metadata", f"{where}: commit metadata has format version {progress.v}, this reads 1"
        )
    return progress


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Progress).decode
