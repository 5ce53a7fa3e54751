"""Walking a log frame by frame, one file in memory at a time, while its owner goes on writing.

What is torn at the very end is being written: it is on its way. Any other damage is a halt, by the
rules of `system.wal.reader`. Frames below the first file may be gone; then the walk begins there.
"""

from collections.abc import Iterable, Iterator

from system.errors import Halt
from system.wal import reader
from system.wal.packing import HEADER_BYTES, Frame, Header, unpack
from system.wal.reader import Torn


def walk(files: Iterable[tuple[str, bytes]]) -> Iterator[Frame]:
    """Yield the frames of files given in order of their first LSN; `Halt` says what is damaged."""
    header: Header | None = None
    last: Frame | None = None
    torn: tuple[Torn, bytes] | None = None
    for name, data in files:
        if torn is not None and header is not None:
            _judge(torn, header, last, is_last=False)
        before, header = header, reader.header_of(name, data)
        _join(name, header, before, last)
        previous, lsn = header.previous, header.first_lsn
        offset = HEADER_BYTES
        while frame := _next(name, data, offset, (lsn, previous, header.generation)):
            yield frame
            last = frame
            offset += frame.size
            previous, lsn = frame.crc, lsn + 1
        if offset < len(data) or lsn <= header.synced_lsn:
            torn = Torn(name, offset, len(data) - offset), data
    if torn is not None and header is not None:
        _judge(torn, header, last, is_last=True)


def _next(name: str, data: bytes, offset: int, link: tuple[int, int, int]) -> Frame | None:
    frame = unpack(name, data, offset)
    follows = frame is not None and (frame.lsn, frame.previous, frame.generation) == link
    return frame if follows else None


def _judge(torn: tuple[Torn, bytes], header: Header, last: Frame | None, *, is_last: bool) -> None:
    frames = [] if last is None else [last]
    reader.decide(torn[0], torn[1], (header,), frames, last=is_last)


def _join(name: str, header: Header, before: Header | None, last: Frame | None) -> None:
    """Check that a file continues the one before it; the first one may begin anywhere."""
    if before is None:
        return
    expected = before.first_lsn if last is None else last.lsn + 1
    if header.first_lsn != expected:
        raise Halt("log_gap", f"{name} begins at LSN {header.first_lsn}, LSN {expected} is missing")
    if (header.shard, header.identity) != (before.shard, before.identity):
        raise Halt("log_foreign", f"{name} belongs to another data directory")
    if last is not None and header.previous != last.crc:
        raise Halt("log_damaged", f"{name} offset 0: does not follow the file before it")
