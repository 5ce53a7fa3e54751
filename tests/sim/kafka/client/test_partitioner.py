"""Partitioners against the library's own functions and the published vectors."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kafka.client.partitioner import PARTITIONERS, Sticky
from sim.kafka.client.wheel import real

counts = st.integers(1, 200)


def choose(name: str, key: bytes | None, count: int) -> int:
    sticky = Sticky(random.Random(1), 10)
    return PARTITIONERS[name](key, count, 0, sticky, lambda _: True)


@given(st.binary(min_size=1), counts)
def test_keys_hash_as_in_the_library(key: bytes, count: int) -> None:
    for name in ("consistent", "consistent_random"):
        assert choose(name, key, count) == real.consistent(key, count)
    for name in ("murmur2", "murmur2_random"):
        assert choose(name, key, count) == real.murmur2(key, count)
    for name in ("fnv1a", "fnv1a_random"):
        assert choose(name, key, count) == real.fnv1a(key, count)


def test_no_key_and_an_empty_key_go_where_each_partitioner_says() -> None:
    assert choose("consistent", None, 7) == choose("consistent", b"", 7) == 0
    assert choose("murmur2", None, 7) == choose("murmur2_random", b"", 7) == 2
    assert choose("fnv1a", None, 7) == real.fnv1a(b"", 7)


@pytest.mark.parametrize("name", ["consistent_random", "murmur2_random", "fnv1a_random", "random"])
def test_messages_without_a_key_stay_in_one_partition_for_a_while(name: str) -> None:
    sticky = Sticky(random.Random(3), 10)
    partition = PARTITIONERS[name]
    chosen = [partition(None, 50, now, sticky, lambda _: True) for now in range(40)]
    assert 2 <= len(set(chosen)) <= 4
    assert chosen[:11] == [chosen[0]] * 11


def test_a_random_partition_without_a_leader_is_drawn_once_more() -> None:
    draws = [choose_among(seed) for seed in range(200)]
    assert draws.count(0) < 80  # a quarter instead of a half


def choose_among(seed: int) -> int:
    return Sticky(random.Random(seed), 0).any(2, lambda partition: partition == 1)
