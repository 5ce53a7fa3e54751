"""Assignors against what the real client's callbacks were seen to be given."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.kafka.client.assignors import (
    ASSIGNORS,
    Member,
    assign_range,
    decode_assignment,
    decode_subscription,
    encode_assignment,
    encode_subscription,
)

TOPICS = {"ta": 5, "tb": 3, "tc": 1}
ALL = tuple(TOPICS)


def shares(name: str, subscriptions: dict[str, tuple[str, ...]]) -> dict[str, str]:
    members = [Member(member, None, topics) for member, topics in subscriptions.items()]
    found = ASSIGNORS[name](members, TOPICS)
    return {m: " ".join(f"{t}{p}" for t, p in parts) for m, parts in found.items()}


@pytest.mark.parametrize(
    ("name", "subscriptions", "expected"),
    [
        (
            "range",
            {"c": ALL, "a": ALL, "b": ALL},
            {"a": "tc0 tb0 ta0 ta1", "b": "tb1 ta2 ta3", "c": "tb2 ta4"},
        ),
        (
            "roundrobin",
            {"a": ALL, "b": ALL, "c": ALL},
            {"a": "ta0 ta3 tb1", "b": "ta1 ta4 tb2", "c": "ta2 tb0 tc0"},
        ),
        (
            "range",
            {"a": ("ta",), "b": ALL, "c": ("tb", "tc")},
            {"a": "ta0 ta1 ta2", "b": "ta3 ta4 tc0 tb0 tb1", "c": "tb2"},
        ),
        (
            "roundrobin",
            {"a": ("ta",), "b": ALL, "c": ("tb", "tc")},
            {"a": "ta0 ta2 ta4", "b": "ta1 ta3 tb0 tb2", "c": "tb1 tc0"},
        ),
    ],
)
def test_partitions_are_shared_out_as_the_library_does(
    name: str, subscriptions: dict[str, tuple[str, ...]], expected: dict[str, str]
) -> None:
    assert shares(name, subscriptions) == expected


def test_members_with_instance_ids_are_sorted_by_them() -> None:
    members = [Member("x", "2", ("ta",)), Member("y", "1", ("ta",))]
    assert assign_range(members, {"ta": 2}) == {"y": [("ta", 0)], "x": [("ta", 1)]}


names = st.text(min_size=1, max_size=20)


@given(st.lists(names))
def test_a_subscription_survives_its_bytes(topics: list[str]) -> None:
    assert decode_subscription(encode_subscription(topics)) == tuple(topics)


@given(st.dictionaries(names, st.lists(st.integers(0, 2**31 - 1), min_size=1)))
def test_an_assignment_survives_its_bytes(topics: dict[str, list[int]]) -> None:
    partitions = [(topic, part) for topic, parts in topics.items() for part in parts]
    assert decode_assignment(encode_assignment(partitions)) == partitions
    assert decode_assignment(b"") == []


@given(
    st.sampled_from(sorted(ASSIGNORS)),
    st.dictionaries(names, st.sets(st.sampled_from(ALL), min_size=1), min_size=1),
)
def test_every_wanted_partition_goes_to_exactly_one_member_that_wants_it(
    name: str, subscriptions: dict[str, set[str]]
) -> None:
    members = [Member(m, None, tuple(sorted(topics))) for m, topics in subscriptions.items()]
    found = ASSIGNORS[name](members, TOPICS)
    given_out = [part for parts in found.values() for part in parts]
    wanted = {topic for topics in subscriptions.values() for topic in topics}
    assert sorted(given_out) == [(t, p) for t in ALL for p in range(TOPICS[t]) if t in wanted]
    assert all(t in subscriptions[m] for m, parts in found.items() for t, _ in parts)
