"""The kernel: blocking, order, crashes, pauses, caps."""

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sim.errors import CapReached, SimulationEscape
from sim.kernel import SECOND, Killed, current, outside, running
from sim.process import burying


def test_threads_block_in_virtual_time(bench: Any) -> None:
    seen: list[tuple[str, int]] = []

    def sleeper(name: str, delay: int) -> None:
        bench.kernel.sleep(delay)
        seen.append((name, bench.kernel.now))

    process = bench.host("a").launch("p", lambda: bench.kernel.sleep(SECOND))
    process.spawn(sleeper, "late", 30)
    process.spawn(sleeper, "early", 10)
    bench.kernel.run(SECOND // 2)

    assert seen == [("early", 10), ("late", 30)]


def test_ties_are_drawn_from_the_seed(make_bench: Callable[..., Any]) -> None:
    def order(seed: int) -> list[int]:
        bench = make_bench(seed)
        seen: list[int] = []
        for number in range(6):
            bench.kernel.after(5, seen.append, number)
        bench.kernel.run(10)
        return seen

    assert order(1) == order(1)
    assert len({tuple(order(seed)) for seed in range(20)}) > 10


def test_a_wait_ends_with_its_event_or_its_timeout(bench: Any) -> None:
    outcomes: list[bool] = []

    def waiter() -> None:
        event = bench.kernel.event()
        bench.kernel.after(50, event.succeed)
        outcomes.append(bench.kernel.wait(event, 20))
        outcomes.append(bench.kernel.wait(event, 100))
        outcomes.append(bench.kernel.wait(event))
        assert bench.kernel.now == 50

    bench.host("a").launch("p", waiter)
    bench.kernel.run(SECOND)

    assert outcomes == [False, True, True]


def test_the_dead_touch_nothing(bench: Any) -> None:
    effects: list[str] = []

    def program() -> None:
        try:
            bench.kernel.sleep(SECOND)
        finally:
            running()
            effects.append("flushed")

    process = bench.host("a").launch("p", program)
    bench.kernel.run(10)
    bench.kernel.kill(process)
    bench.kernel.run(2 * SECOND)

    assert effects == []
    assert process.refusals == 1
    assert process.exit_code == -9


def test_a_thread_may_kill_its_own_process(bench: Any) -> None:
    effects: list[str] = []

    def other() -> None:
        try:
            bench.kernel.sleep(SECOND)
        except Killed:
            effects.append("unwound")
            raise

    def program() -> None:
        bench.kernel.sleep(5)
        process.exit(3)

    process = bench.host("a").launch("p", program)
    process.spawn(other)
    process.on_death.append(lambda: effects.append("released"))
    bench.kernel.run(SECOND)

    assert process.exit_code == 3
    assert effects == ["unwound", "released"]


def test_one_program_may_kill_another(bench: Any) -> None:
    victim = bench.host("a").launch("victim", lambda: bench.kernel.sleep(SECOND))

    def killer() -> None:
        bench.kernel.sleep(5)
        bench.kernel.kill(victim)
        bench.kernel.sleep(5)

    murderer = bench.host("b").launch("killer", killer)
    bench.kernel.run(SECOND)

    assert (victim.exit_code, murderer.exit_code) == (-9, 0)
    assert not victim.threads


def test_a_paused_process_catches_up(bench: Any) -> None:
    seen: list[int] = []

    def program() -> None:
        for _ in range(3):
            bench.kernel.sleep(10)
            seen.append(bench.kernel.now)

    process = bench.host("a").launch("p", program)
    bench.kernel.run(12)
    bench.kernel.pause(process)
    bench.kernel.after(88, bench.kernel.resume, process)
    bench.kernel.run(SECOND)

    assert seen == [10, 100, 110]


def test_exit_codes_are_those_of_python(bench: Any) -> None:
    def fails() -> None:
        raise ValueError("odd")

    def stops() -> None:
        raise SystemExit(7)

    host = bench.host("a")
    processes = [host.launch(str(i), main) for i, main in enumerate((fails, stops, lambda: 5))]
    bench.kernel.run(SECOND)

    assert [process.exit_code for process in processes] == [1, 7, 5]
    assert "ValueError: odd" in processes[0].stderr[0]


def test_an_escape_ends_the_run_even_if_swallowed(bench: Any) -> None:
    def program() -> None:
        bench.kernel.trouble = SimulationEscape("past the doors")
        bench.kernel.sleep(10)

    bench.host("a").launch("p", program)

    with pytest.raises(SimulationEscape, match="past the doors"):
        bench.kernel.run(SECOND)


def test_caps_end_a_run_that_does_not_end(bench: Any) -> None:
    def forever() -> None:
        while True:
            bench.kernel.sleep(1)

    bench.kernel.max_events = 5000
    bench.host("a").launch("p", forever)

    with pytest.raises(CapReached, match="events"):
        bench.kernel.run(SECOND)


def test_formatting_runs_as_outside(bench: Any) -> None:
    seen: list[bool] = []

    def program() -> None:
        with outside():
            seen.append(running() is None and current() is None)
        seen.append(running() is process)

    process = bench.host("a").launch("p", program)
    bench.kernel.run(SECOND)

    assert seen == [True, True]


def test_each_tie_payload_and_state_change_is_in_the_digest(make_bench: Callable[..., Any]) -> None:
    def digest(seed: int, value: bytes, kind: str = "cell") -> str:
        bench = make_bench(seed)
        bench.kernel.after(5, bench.kernel.trace.record, kind, "a", value)
        bench.kernel.run(10)
        return str(bench.kernel.trace.digest())

    same = digest(1, b"x")

    assert digest(1, b"x") == same
    assert len({same, digest(1, b"y"), digest(1, b"x", "row"), digest(2, b"x")}) == 4


def test_threads_of_the_operating_system_live_on_while_the_dead_are_buried() -> None:
    begun: list[bool] = []
    found: list[object] = []

    def wait_and_look() -> None:
        while not begun:
            pass
        try:
            found.append(running())
        except Killed as killed:
            found.append(killed)

    thread = threading.Thread(target=wait_and_look)
    thread.start()
    with burying():
        begun.append(True)
        while not found:
            pass
        with pytest.raises(Killed):
            running()
    thread.join()

    assert found == [None]
