"""`random` and everything that asks the system for entropy: from the seed, per incarnation."""

import os
import random
import secrets
import tempfile
import uuid
from typing import Any


def _draws() -> list[Any]:
    shuffled = list(range(20))
    random.shuffle(shuffled)
    return [
        random.random(),
        random.randint(1, 10**9),
        random.choice("abcdef"),
        random.Random().random(),
        random.SystemRandom().random(),
        random.gauss(0, 1),
        random.getrandbits(64),
        os.urandom(8),
        os.getrandom(8),
        secrets.token_hex(8),
        secrets.randbelow(10**9),
        uuid.uuid4(),
        uuid.uuid1(),
        shuffled,
        next(tempfile._get_candidate_names()),  # type: ignore[attr-defined]
    ]


def test_everything_random_comes_from_the_seed(make_arena: Any) -> None:
    random.seed(1)
    first = make_arena(7).run(_draws)
    random.seed(2)
    os.urandom(3)
    assert make_arena(7).run(_draws) == first
    other = make_arena(8).run(_draws)
    assert [a for a, b in zip(first, other, strict=True) if a == b] in ([], [first[2]])


def test_two_processes_and_two_incarnations_draw_differently(arena: Any) -> None:
    drawn = [arena.run(lambda: (random.random(), os.urandom(8))) for _ in range(3)]
    assert len(set(drawn)) == 3


def test_seeding_is_of_one_process_alone(arena: Any) -> None:
    def body() -> list[float]:
        random.seed(42)
        first = random.random()
        state = random.getstate()
        second = random.random()
        random.setstate(state)
        assert random.random() == second
        return [first, random.Random(42).random()]

    random.seed(7)
    expected = random.Random(7).random()
    first, again = arena.run(body)
    assert first == again == random.Random(42).random()
    assert random.random() == expected


def test_version_1_uuids_grow_and_name_the_host(make_arena: Any) -> None:
    def body() -> list[uuid.UUID]:
        return [uuid.uuid1() for _ in range(3)]

    made = make_arena().run(body)
    assert [each.time for each in made] == sorted({each.time for each in made})
    assert made[0].node == make_arena(9).run(uuid.getnode) == made[2].node
