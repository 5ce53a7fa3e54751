"""Logs of version 1: read as they were, and transfers still written so, to the byte."""

from base64 import b64decode

import pytest

from system.errors import Halt
from system.ubscore.state import Balance, State
from system.wal import reader
from system.wal.frames import (
    COMMAND,
    AnyBody,
    CommandFrame,
    EngineFrame,
    EpochFrame,
    Input,
    Link,
    LinkFrame,
    MarkFrame,
    OrderFrame,
    PositionFrame,
    kind_of,
)
from system.wal.packing import Header, crc_of, pack, pack_header
from system.wal.traced import context, plain, traced

NAME = "wal-00000001-0000000000000001.log"
LOG = b64decode(  # an epoch, a deposit, a mark and positions, as version 1 wrote them
    b"V1RXQUwAAAEBAAAAAQAAAAEAAAAAAAAAAAAAAAAAAAAHAAAAAAAAAAAAAADpAmUwEwAAAKVMAQEBAAAAAAAAAAEAAAAA"
    b"AAAAAAAAAAAAAACSAbAwMDExMjIzMzQ0NTU2Njc3AHErlArdAAAApUwCAQEAAABxK5QKAgAAAAAAAAABAAAAAAAAAJyV"
    b"smJhbGFuY2Uub3BlcmF0aW9ucwIAAAfPAAABi8/laADPAAABi8q/DADPAAABi8/laAHNA+nZJDAxOGJjZmU1LTY4MDAt"
    b"NzAwMC04MDAwLTAwMDAwMDAwMDAwMdlAMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw"
    b"MDAwMDAwMDAwMDAwMDAwMDAwMMQCe32oYWNjZXB0ZWTAkZinZGVwb3NpdM0D6QEBBQAFAJGVrmJhbGFuY2UuZXZlbnRz"
    b"AgHEBDEwMDHEAnt9AAAAAAAAAMUvXjwWAAAApUwDAQEAAADFL148AwAAAAAAAAACAAAAAAAAAJICkZSuYmFsYW5jZS5l"
    b"dmVudHMCAQAAAAAAAAAl0fEhLAAAAKVMBAEBAAAAJdHxIQQAAAAAAAAAAwAAAAAAAACRkZeyYmFsYW5jZS5vcGVyYXRp"
    b"b25zAgEAB88AAAGLz+VoAM8AAAGLyr8MADGk2fY="
)


def test_a_log_of_version_1_is_read_and_still_written_as_such() -> None:
    contents = reader.read({NAME: LOG})

    bodies = [body for _, body in contents.records()]
    assert [type(body) for body in bodies] == [EpochFrame, CommandFrame, MarkFrame, PositionFrame]
    written, previous = pack_header(Header(1, 1, 1, 0, 7, 0)), 0
    for lsn, body in enumerate(bodies, 1):
        kind, version, payload = kind_of(body)
        frame = pack(
            kind,
            payload,
            lsn=lsn,
            generation=1,
            previous=previous,
            synced_lsn=lsn - 1,
            version=version,
        )
        written, previous = written + frame, crc_of(frame)
    assert written == LOG


def test_a_log_of_version_1_gives_the_state_it_gave() -> None:
    state = State()

    for lsn, body in reader.read({NAME: LOG}).records():
        state.apply(lsn, body)

    assert state.balance(1001, 1) == Balance(5, 0, 1)
    assert state.hashes(1001, "018bcfe5-6800-7000-8000-000000000001") == ("0" * 64,)
    assert state.net == {1: 5}
    assert state.position("balance.operations", 2).next_offset == 1


SOURCE = Input("engine.outputs", 0, 3, 0, 9)
NEW = [
    OrderFrame(SOURCE, 1, 0, 1, 1001, "r", "h", b"{}", "rejected", "expired", (), (), "o", 1),
    LinkFrame((), (Link(1, 2, "h"),)),
    EngineFrame(SOURCE, 1, b"{}", (), (), (), (1001, "r"), (Link(1, 2, "h"),)),
]


def back(body: AnyBody) -> tuple[int, AnyBody]:
    """The version in which a body is written, and what is read of it."""
    kind, version, payload = kind_of(body)
    data = pack_header(Header(1, 1, 1, 0, 7, 0)) + pack(
        kind, payload, lsn=1, generation=1, previous=0, synced_lsn=0, version=version
    )
    ((_, read),) = reader.read({NAME: data}).records()
    return version, read


@pytest.mark.parametrize("body", NEW)
def test_what_came_with_orders_is_version_2_and_comes_back(
    body: OrderFrame | LinkFrame | EngineFrame,
) -> None:
    assert back(body) == (2, body)


TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
COMMAND_FRAME = CommandFrame(SOURCE, 1, 0, 1, 1001, "r", "h", b"{}", "rejected", "expired")


@pytest.mark.parametrize(
    ("body", "version"),
    [(COMMAND_FRAME, 3), (NEW[0], 4), (NEW[2], 3)],
)
def test_a_context_is_kept_beside_what_the_frame_says(
    body: CommandFrame | EngineFrame, version: int
) -> None:
    frame = traced(body, TRACE)

    assert back(frame) == (version, frame)
    assert (context(frame), plain(frame)) == (TRACE, body)
    assert (traced(body, ""), plain(body), context(body)) == (body, body, "")
    assert isinstance(frame, OrderFrame) == isinstance(body, OrderFrame)


def test_a_frame_of_a_newer_version_is_a_halt_that_says_so() -> None:
    frame = pack(COMMAND, b"", lsn=1, generation=1, previous=0, synced_lsn=0, version=9)
    contents = reader.read({NAME: pack_header(Header(1, 1, 1, 0, 7, 0)) + frame})

    with pytest.raises(Halt, match=r"type 2 version 9 .* run the program version that wrote it"):
        contents.records()
