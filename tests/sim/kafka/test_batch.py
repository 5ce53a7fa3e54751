import gzip

import cramjam
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kafka import varint
from sim.kafka.batch import HEADER_SIZE, Batch
from sim.kafka.errors import BatchError, UnknownCodec

_bytes = st.none() | st.binary(max_size=200)
_records = st.lists(
    st.tuples(
        _bytes,
        _bytes,
        st.lists(st.tuples(st.text(max_size=5), _bytes), max_size=3).map(tuple),
        st.integers(0, 2**45),
    ),
    min_size=1,
    max_size=5,
).map(tuple)
_producers = st.tuples(st.integers(0, 2**62), st.integers(0, 2**15 - 1), st.integers(0, 2**31 - 1))


@given(_records, st.none() | _producers, st.integers(0, 2**60), st.integers(0, 2**30))
def test_a_batch_survives_the_wire(records, producer, offset, epoch) -> None:  # type: ignore[no-untyped-def]
    batch = Batch(records, *(producer or ())).placed(offset, epoch)

    data = batch.encode()
    read = Batch.decode(data)

    assert len(data) == batch.size == read.size
    assert read.records == records
    assert read.encode() == data
    for name in ("base_offset", "leader_epoch", "last_offset", "max_timestamp", "last_sequence"):
        assert getattr(read, name) == getattr(batch, name)


@given(_records, st.data())
def test_a_damaged_batch_is_never_taken_for_a_sound_one(records, data) -> None:  # type: ignore[no-untyped-def]
    sound = Batch(records).encode()
    at = data.draw(st.integers(16, len(sound) - 1))  # offset and leader epoch are not covered
    damaged = sound[:at] + bytes([sound[at] ^ data.draw(st.integers(1, 255))]) + sound[at + 1 :]

    with pytest.raises(BatchError):
        Batch.decode(damaged)


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_varint_has_the_size_it_says(number: int) -> None:
    data = varint.write(number)

    assert len(data) == varint.size(number)
    assert varint.read(data, 0) == (number, len(data))


def test_a_new_place_needs_no_new_checksum_but_a_new_time_does() -> None:
    batch = Batch.decode(Batch(((b"k", b"v", (), 5),)).encode())

    moved, stamped = batch.placed(40, 3), batch.placed(40, 3, append_time=9)

    assert moved.encode()[16:] == batch.encode()[16:]
    assert Batch.decode(stamped.encode()).timestamp(stamped.records[0]) == 9
    assert moved.fingerprint() != batch.fingerprint() != stamped.fingerprint()


def sealed(codec: int, body: bytes) -> Batch:
    batch = Batch.decode(PLAIN)
    batch._body, batch._records, batch._size, batch.attributes = body, None, -1, codec
    return Batch.decode(batch.encode())


PLAIN = Batch(((b"k", b"v" * 50, (), 5),)).encode()
BODY = PLAIN[HEADER_SIZE:]


def xerial(data: bytes) -> bytes:
    blocks = [bytes(cramjam.snappy.compress_raw(part)) for part in (data[:9], data[9:])]
    framed = b"".join(len(block).to_bytes(4) + block for block in blocks)
    return b"\x82SNAPPY\x00" + b"\0\0\0\1" * 2 + framed


@pytest.mark.parametrize(
    ("codec", "body"),
    [
        (1, gzip.compress(BODY, mtime=0)),  # ids of tests are the same in every worker
        (2, bytes(cramjam.snappy.compress_raw(BODY))),
        (2, xerial(BODY)),
        (3, bytes(cramjam.lz4.compress(BODY))),
        (4, bytes(cramjam.zstd.compress(BODY))),
    ],
)
def test_compressed_records_are_read_and_nonsense_is_not(codec: int, body: bytes) -> None:
    assert sealed(codec, body).records == ((b"k", b"v" * 50, (), 5),)
    with pytest.raises(BatchError, match="malformed"):
        _ = sealed(codec, b"nonsense").records
    with pytest.raises(UnknownCodec, match="no compression codec 5"):
        _ = sealed(5, body).records


def test_several_batches_are_read_and_a_torn_one_is_left_out() -> None:
    data = Batch(((None, b"a", (), 1),)).encode() + Batch(((None, b"b", (), 1),)).encode()

    assert [b.records[0][1] for b in Batch.decode_all(data)] == [b"a", b"b"]
    assert len(Batch.decode_all(data[:-1])) == 1


def test_librdkafka_2_16_writes_the_same_bytes() -> None:
    sent = bytes.fromhex(
        "00000000000000000000005100000000020403b5870000000000010000018bcfe5687b0000018bcfe5687b"
        "ffffffffffffffffffffffffffff000000022a000000066b65790a76616c75650402680231026e0112002d"
        "02066b65790100"
    )
    records = (
        (b"key", b"value", (("h", b"1"), ("n", None)), 1_700_000_000_123),
        (b"key", None, (), 1_700_000_000_100),
    )

    assert Batch.decode(sent).records == records
    assert Batch(records).placed(0, 0).encode() == sent
