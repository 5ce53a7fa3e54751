"""What the reader makes of every image a crash or rot can leave."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from system.errors import Halt
from system.wal import reader
from system.wal.packing import FRAME_BYTES, HEADER_BYTES, pack
from tests.system.wal.logs import SMALL, batch, files, marks, opened

FIRST, SECOND = (1, 2, 3), (4, 5, 6)


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, bytes, int]:
    """One file with two batches: its name, its bytes, and where the second batch begins."""
    directory = tmp_path_factory.mktemp("log")
    writer = opened(directory)
    batch(writer, *FIRST)
    begins = writer.size
    batch(writer, *SECOND)
    writer.close()
    ((name, data),) = files(directory).items()
    return name, data, begins


def outcome(images: dict[str, bytes]) -> list[int] | None:
    """The marks that are found; None for a halt."""
    try:
        return marks(images)
    except Halt:
        return None


def test_a_log_reads_as_it_was_written(image: tuple[str, bytes, int]) -> None:
    name, data, _ = image
    assert marks({name: data}) == [1, 2, 3, 4, 5, 6]
    assert reader.read({name: data}).torn is None


def test_a_cut_in_the_last_batch_leaves_a_prefix_and_an_earlier_one_halts(
    image: tuple[str, bytes, int],
) -> None:
    name, data, begins = image
    for cut in range(len(data)):
        found = outcome({name: data[:cut]})
        if cut >= begins:
            assert found is not None
            assert found == [1, 2, 3, 4, 5, 6][: len(found)]
            assert len(found) >= 3
        elif cut >= HEADER_BYTES:
            # The second batch is gone with its claim; only the epoch frame was claimed as synced.
            assert found is None or found == [1, 2, 3][: len(found)]
        else:
            assert found is None


def test_every_flipped_bit_is_noticed(image: tuple[str, bytes, int]) -> None:
    name, data, begins = image
    for place in range(len(data)):
        for bit in range(8):
            rotten = bytearray(data)
            rotten[place] ^= 1 << bit
            found = outcome({name: bytes(rotten)})
            if place < begins:
                assert found is None, f"byte {place} bit {bit}"
            else:
                assert found is None or found == [1, 2, 3, 4, 5, 6][: len(found)]
                assert found is None or 3 <= len(found) < 6


@settings(max_examples=300, deadline=None)
@given(kept=st.lists(st.sampled_from(["new", "zero", "ones"]), min_size=16, max_size=16))
def test_any_mix_of_sectors_of_the_unsynced_batch_recovers_the_synced_part(
    image: tuple[str, bytes, int], kept: list[str]
) -> None:
    name, data, begins = image
    torn = bytearray(data)
    for index, fate in enumerate(kept):
        start, end = begins + index * 16, min(begins + index * 16 + 16, len(data))
        if fate != "new" and start < end:
            torn[start:end] = (b"\0" if fate == "zero" else b"\xff") * (end - start)
    found = outcome({name: bytes(torn)})
    assert found is not None
    assert found[:3] == [1, 2, 3]
    assert found == [1, 2, 3, 4, 5, 6][: len(found)]


@pytest.mark.parametrize("filler", [b"\0", b"\xff"])
def test_space_that_was_never_written_is_not_a_frame(
    image: tuple[str, bytes, int], filler: bytes
) -> None:
    name, data, _ = image
    contents = reader.read({name: data + filler * 4096})
    assert contents.torn is not None
    assert (contents.torn.offset, contents.torn.size) == (len(data), 4096)
    assert contents.last_lsn == 7


def test_a_frame_at_another_place_is_not_taken(image: tuple[str, bytes, int]) -> None:
    name, data, begins = image
    size = (len(data) - begins) // 3
    moved = data + data[begins : begins + size]
    assert outcome({name: moved}) == [1, 2, 3, 4, 5, 6]
    assert reader.read({name: moved}).torn is not None


def test_more_damage_than_an_unsynced_batch_halts(
    image: tuple[str, bytes, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    name, data, _ = image
    monkeypatch.setattr(reader, "MAX_UNSYNCED", 4095)
    with pytest.raises(Halt, match="more than a torn tail"):
        reader.read({name: data + bytes(4096)})


def test_an_unknown_version_halts_with_file_and_offset(image: tuple[str, bytes, int]) -> None:
    name, data, _ = image
    last = reader.read({name: data}).frames[-1]
    newer = pack(3, b"", lsn=8, generation=2, previous=last.crc, synced_lsn=7, version=2)
    contents = reader.read({name: data + newer})
    with pytest.raises(Halt, match=f"{name} offset {len(data)}.*version 2"):
        contents.records()


def test_a_missing_swapped_or_foreign_file_halts(tmp_path: Path) -> None:
    writer = opened(tmp_path, SMALL)
    for number in range(24):
        batch(writer, number)
    writer.close()
    images = files(tmp_path)
    names = sorted(images)
    assert len(names) >= 3
    assert outcome(images) == list(range(24))
    for name in names[:-1]:
        assert outcome({n: images[n] for n in names if n != name}) is None
    assert outcome({**images, names[0]: images[names[1]], names[1]: images[names[0]]}) is None
    assert outcome({**images, names[1]: images[names[1]][:-8]}) is None
    assert outcome({**images, names[1]: images[names[1]] + bytes(64)}) is None
    other = bytearray(images[names[1]])
    other[12] ^= 1  # the shard in the header
    assert outcome({**images, names[1]: bytes(other)}) is None


def test_an_empty_directory_halts_and_temporary_files_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "wal-00000001-0000000000000001.log.tmp").write_bytes(b"half a file")
    with pytest.raises(Halt, match="no log file"):
        reader.read(files(tmp_path))
    batch(opened(tmp_path), 1)
    assert marks(files(tmp_path)) == [1]
    assert not list(tmp_path.glob("*.tmp"))


@settings(max_examples=200, deadline=None)
@given(junk=st.binary(max_size=600))
def test_any_bytes_behind_the_log_are_a_torn_tail(
    image: tuple[str, bytes, int], junk: bytes
) -> None:
    name, data, _ = image
    contents = reader.read({name: data + junk})
    assert contents.last_lsn == 7
    assert (contents.torn is None) == (not junk)
    assert FRAME_BYTES % 8 == 0
