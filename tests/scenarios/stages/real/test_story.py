"""The time of a story stands still while something boots, and nothing is due meanwhile."""

import threading

from scenarios.stages.real.clock import Clock
from scenarios.stages.real.story import Story


class Hand(Clock):
    """A clock that is set by hand."""

    time_ns = 100

    @property
    def now(self) -> int:
        return self.time_ns


def test_it_goes_on_as_long_as_nothing_boots() -> None:
    clock, booting = Hand(), [False]
    story = Story(clock, lambda: booting[0])
    due: list[str] = []
    story.after(10, due.append, "harm")

    clock.time_ns += 9
    story.tick()
    booting[0] = True
    clock.time_ns += 1000
    story.tick()
    assert (story.now, due) == (9, [])

    booting[0] = False
    clock.time_ns += 1
    story.tick()
    assert (story.now, due) == (10, ["harm"])


def test_what_is_due_at_once_happens_in_the_order_of_its_adding() -> None:
    clock = Hand()
    story = Story(clock, lambda: False)
    due: list[int] = []
    for number in (1, 2, 3):
        story.after(5, due.append, number)

    clock.time_ns += 5
    story.tick()

    assert due == [1, 2, 3]


def test_who_waits_for_a_time_is_let_go_when_the_story_has_come_so_far() -> None:
    clock, booting = Clock(), [True]
    story = Story(clock, lambda: booting[0])
    waiting = threading.Thread(target=story.until, args=(1,), daemon=True)
    waiting.start()
    story.tick()
    assert waiting.is_alive()

    booting[0] = False
    while story.now < 1:
        story.tick()
    waiting.join(60)

    assert not waiting.is_alive()
