"""Request keys: what is remembered, for how long, and what a snapshot holds of it."""

from hypothesis import given
from hypothesis import strategies as st

from system.ubscore.keys import RequestKeys, made_at_ms, once, twice

NOW_MS = 1_700_000_000_000


def key(age: int, number: int) -> str:
    made = f"{NOW_MS + age:012x}"
    return f"{made[:8]}-{made[8:]}-7000-8000-{number:012x}"


DECIDED = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.integers(0, 9),
        st.integers(0, 4),
        st.sampled_from(("a" * 64, "b" * 64, "c" * 64)),
    ),
    max_size=40,
)


def remembered(decided: list[tuple[int, int, int, str]]) -> RequestKeys:
    keys = RequestKeys()
    for user, age, number, body in decided:
        if body not in keys.hashes(user, key(age, number)):
            keys.remember(user % 2, user, key(age, number), body)
    return keys


@given(DECIDED, st.integers(0, 10))
def test_the_keys_whose_time_has_passed_are_those_made_before(
    decided: list[tuple[int, int, int, str]], before: int
) -> None:
    keys = remembered(decided)
    passed = []
    for partition in range(2):
        while (one := keys.pass_by(partition, NOW_MS + before)) is not None:
            passed.append(one)
            keys.forget(one)

    due = {(key(age, n), user) for user, age, n, _ in decided if age < before}
    assert sorted(passed) == sorted(due)
    for user, age, number, body in decided:
        assert (body in keys.hashes(user, key(age, number))) == (age >= before)


@given(DECIDED, st.integers(0, 10))
def test_keys_at_rest_are_the_same_in_every_version_and_go_on_alike(
    decided: list[tuple[int, int, int, str]], before: int
) -> None:
    keys = remembered(decided)
    overdue = []
    while (one := keys.pass_by(1, NOW_MS + before)) is not None:
        overdue.append(one)
    contents = keys.contents(overdue)
    again = RequestKeys()

    assert once(*twice(contents)) == contents
    again.resume(contents)
    assert again.contents(overdue) == contents
    ages = [
        made_at_ms(request_id) for request_id, _ in contents.aging.get(0, contents.overdue).keys
    ]
    assert ages == sorted(ages)
