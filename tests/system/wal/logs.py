"""Logs to test with, written by the real writer into a real directory."""

from pathlib import Path

from system.wal import reader
from system.wal.frames import AnyBody, EpochFrame, MarkFrame
from system.wal.writer import Shape, Writer

SHAPE = Shape(shard=1, identity=7, file_bytes=1 << 20)
SMALL = Shape(shard=1, identity=7, file_bytes=400)


def mark(number: int) -> MarkFrame:
    return MarkFrame(number, ())


def opened(directory: Path, shape: Shape = SHAPE, writer_type: type[Writer] = Writer) -> Writer:
    """Open a log as UBSCore does, making it first if it is not there."""
    writer = writer_type(str(directory), shape)
    if not reader.read_directory(str(directory)):
        writer.format()
    contents = reader.read(reader.read_directory(str(directory)))
    epochs = [body.counter for _, body in contents.records() if isinstance(body, EpochFrame)]
    writer.clean()
    writer.recover(contents, EpochFrame(max(epochs, default=0) + 1, "00"))
    return writer


def batch(writer: Writer, *numbers: int) -> None:
    for number in numbers:
        writer.append(mark(number))
    writer.commit()


def files(directory: Path) -> dict[str, bytes]:
    return reader.read_directory(str(directory))


def bodies(images: dict[str, bytes]) -> list[AnyBody]:
    return [body for _, body in reader.read(images).records()]


def marks(images: dict[str, bytes]) -> list[int]:
    return [body.lsn for body in bodies(images) if isinstance(body, MarkFrame)]
