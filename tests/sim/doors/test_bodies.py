"""Bodies: every incarnation finds its program's modules as they were written."""

import sys
import textwrap
from pathlib import Path

import pytest

from sim.doors.bodies import Body, Pool

PROGRAM = textwrap.dedent(
    '''
    """A program that does everything to its globals that it should not."""

    import functools
    from prog.shared import REGISTRY, Counter

    COUNT = 0
    SEEN = []
    NESTED = {"inner": {"list": [1, 2]}}
    COUNTER = Counter()


    def remember(value, into=[]):
        into.append(value)
        return list(into)


    @functools.lru_cache
    def cached(value):
        REGISTRY.append(value)
        return value


    class Service:
        instances = 0
        names = []

        def run(self):
            global COUNT
            COUNT += 1
            SEEN.append(COUNT)
            NESTED["inner"]["list"].append(3)
            COUNTER.value += 1
            Service.instances += 1
            Service.late = True
            self.names.append("x")
            cached(7)
            from prog import late

            late.LATE += 1
            return COUNT, len(SEEN), NESTED["inner"]["list"], COUNTER.value, Service.instances
    '''
)
SHARED = "REGISTRY = []\n\n\nclass Counter:\n    def __init__(self):\n        self.value = 0\n"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "prog"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "service.py").write_text(PROGRAM)
    (folder / "shared.py").write_text(SHARED)
    (folder / "late.py").write_text("LATE = 0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return "prog.service"


def _live(body: Body) -> tuple[object, ...]:
    with body.in_place():
        service = body.get("prog.service:Service")()
        service.run()
        result = service.run()
        remembered = body.get("prog.service:remember")(5)
    return (*result, remembered, body.get("prog.shared:REGISTRY"))


def test_nothing_in_a_modules_globals_survives(package: str) -> None:
    body = Body((package,), ("prog",))

    lives = []
    for _ in range(3):
        lives.append(_live(body))
        assert body.changed()
        body.reset()
        assert not body.changed()

    assert lives[0] == lives[1] == lives[2]
    assert not hasattr(body.get("prog.service:Service"), "late")


def test_two_bodies_do_not_see_each_other(package: str) -> None:
    one, other = Body((package,), ("prog",)), Body((package,), ("prog",))

    first = _live(one)
    second = _live(other)

    assert first == second
    assert one.get("prog.service:Service") is not other.get("prog.service:Service")


def test_the_harness_keeps_its_own_copy(package: str) -> None:
    before = set(sys.modules)

    Body((package,), ("prog",))

    assert {name for name in set(sys.modules) - before if name.startswith("prog")} == set()


def test_a_pool_hands_out_bodies_as_if_new(package: str) -> None:
    pool = Pool(("prog",))
    first = pool.take(package)
    _live(first)
    pool.give_back(first)

    again = pool.take(package)

    assert again is first
    assert not again.changed()
