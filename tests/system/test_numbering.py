"""Numbering: each record is applied once and in order, whatever is lost, repeated or resumed."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.errors import Halt
from system.holes import Verdict
from system.numbering import (
    METADATA_BYTES_MAX,
    Expected,
    Numbering,
    decode_metadata,
    encode_metadata,
)
from system.records import Numbered

BITS = "0123456789abcdef"
HOLE_MS_MAX = 1_000


def record(n: int, epoch: int = 1, bits: str = BITS, shard: int = 1) -> Numbered:
    return Numbered(shard=shard, epoch=epoch, epoch_bits=bits, n=n)


def numbering(shards: dict[int, Expected] | None = None) -> Numbering:
    return Numbering("balance.events[0]", shards or {}, HOLE_MS_MAX)


def sound_log(chance: random.Random) -> list[Numbered]:
    """Write a log as a sound sender does: what is lost is sent again from the first lost on."""
    written: list[Numbered] = []
    framed: dict[int, int] = {}  # an epoch is fixed when the record is framed
    epoch, acknowledged, last = 1, 0, chance.randint(1, 12)
    while acknowledged < last:
        in_order = True  # an acknowledgement beyond a lost one is forgotten
        for n in range(acknowledged + 1, chance.randint(acknowledged + 1, last) + 1):
            framed.setdefault(n, epoch)
            arrived = chance.random() < 0.7
            if arrived:
                written.append(record(n, framed[n], f"{framed[n]:016x}"))
            in_order = in_order and arrived and chance.random() < 0.7
            acknowledged += in_order
        epoch += chance.random() < 0.3
    return written


@given(st.integers(0, 2**32))
def test_every_record_is_applied_once_in_order_across_restarts(seed: int) -> None:
    chance = random.Random(seed)
    log = sound_log(chance)
    applied: list[int] = []
    state = numbering()
    offset, commit, known = 0, (0, encode_metadata({})), 0
    while offset < len(log):
        if state.judge(log[offset], offset, offset) is Verdict.APPLY:
            applied.append(log[offset].n)
        offset += 1
        if not state.holes:
            commit, known = (offset, state.metadata()), len(applied)
        if chance.random() < 0.1:  # killed: back to the last commit
            offset = commit[0]
            del applied[known:]
            state = numbering(decode_metadata(commit[1], "test"))

    assert applied == list(range(1, max(one.n for one in log) + 1))
    assert not state.holes


def test_a_duplicate_of_an_older_epoch_is_dropped() -> None:
    state = numbering({1: Expected(5, 3, BITS)})

    assert state.judge(record(4, epoch=2, bits="f" * 16), 7, 0) is Verdict.DUPLICATE


@pytest.mark.parametrize(
    ("came", "why"),
    [
        (record(5, epoch=2), "comes from an older epoch"),
        (record(5, epoch=3, bits="f" * 16), "the same epoch with other bits"),
        (record(4, epoch=3, bits="f" * 16), "the same epoch with other bits"),
        (record(4, epoch=4), "gives an old number to a newer epoch's record"),
        (record(5, epoch=3, shard=2), "a second shard of this partition"),
        (record(0, epoch=3), "numbered below 1"),
    ],
)
def test_a_second_log_of_a_shard_halts(came: Numbered, why: str) -> None:
    state = numbering({1: Expected(5, 3, BITS)})

    with pytest.raises(Halt, match=why):
        state.judge(came, 7, 0)


def test_a_partition_that_all_shards_feed_numbers_each_of_them() -> None:
    state = Numbering("orders.validated[0]", {}, HOLE_MS_MAX, shared=True)

    assert state.judge(record(1, shard=1), 0, 0) is Verdict.APPLY
    assert state.judge(record(1, shard=2), 1, 0) is Verdict.APPLY
    assert state.judge(record(3, shard=1), 2, 0) is Verdict.BEYOND
    assert state.judge(record(2, shard=2), 3, 0) is Verdict.APPLY


def test_a_hole_may_stay_open_for_the_bound_and_not_longer() -> None:
    state = numbering()

    assert state.judge(record(2), 0, 5_000) is Verdict.BEYOND
    assert state.judge(record(3), 1, 5_000 + HOLE_MS_MAX) is Verdict.BEYOND
    with pytest.raises(Halt, match="record 1 of shard 1 is missing since offset 0"):
        state.judge(record(4), 2, 5_001 + HOLE_MS_MAX)


def test_a_hole_closes_however_late_the_missing_record_comes() -> None:
    state = numbering({1: Expected(2, 1, BITS)})
    state.judge(record(3), 0, 0)

    assert state.judge(record(1), 1, 10 * HOLE_MS_MAX) is Verdict.DUPLICATE
    assert state.judge(record(2), 2, 10 * HOLE_MS_MAX) is Verdict.APPLY
    assert not state.holes


@given(
    st.dictionaries(
        st.integers(1, 2**31),
        st.builds(
            Expected,
            st.integers(1, 2**63 - 1),
            st.integers(0, 2**63 - 1),
            st.text("0123456789abcdef", min_size=16, max_size=16),
        ),
        max_size=5,
    )
)
def test_commit_metadata_brings_back_the_state_and_fits(shards: dict[int, Expected]) -> None:
    text = encode_metadata(shards)

    assert decode_metadata(text, "test") == shards
    assert len(text) <= METADATA_BYTES_MAX


@pytest.mark.parametrize("text", [None, "", "x", "{}", '{"v":2,"shards":{}}', '{"v":1}'])
def test_a_commit_without_readable_metadata_halts(text: str | None) -> None:
    with pytest.raises(Halt, match="metadata"):
        decode_metadata(text, "balance.events[0], offset 7")
