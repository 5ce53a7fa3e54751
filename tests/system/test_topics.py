"""Keys find the partition that librdkafka's murmur2_random gives them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.topics import key_of, murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "expected"),  # from the unit tests of the two reference implementations
    [
        (b"kafka", 0xD067CF64),
        (b"giberish123456789", 0x8F552B0C),
        (b"1234", 0x9FC97B14),
        (b"234", 0xE7C009CA),
        (b"34", 0x873930DA),
        (b"4", 0x5A4B5CA1),
        (b"PreAmbleWillBeRemoved,ThePrePartThatIs", 0x78424F1C),
        (b"", 0x106E08D9),
    ],
)
def test_murmur2_equals_the_reference(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected


@given(key=st.binary(max_size=40), partitions=st.integers(1, 64))
def test_a_partition_exists(key: bytes, partitions: int) -> None:
    assert 0 <= partition_of(key, partitions) < partitions


def test_a_key_is_decimal_ascii() -> None:
    assert key_of(1001) == b"1001"
