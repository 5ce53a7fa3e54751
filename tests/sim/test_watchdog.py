"""The watchdog: a program that never comes back is named, with its stack."""

import contextlib
import os
import signal
import time
from typing import Any

import pytest

from sim.errors import CapReached, Stalled
from sim.kernel import SECOND
from sim.process import outside
from sim.watchdog import watching


def test_a_program_that_computes_for_ever_is_named(bench: Any) -> None:
    def spins() -> None:
        while True:
            pass

    bench.host("a").launch("spinner", spins)

    with pytest.raises(Stalled, match="in spins"), watching(bench.kernel, stall_s=1.0):
        bench.kernel.run(SECOND)


def test_an_interruption_ends_the_run_though_a_program_swallows_it(bench: Any) -> None:
    def swallows() -> None:
        with contextlib.suppress(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        swallowed.append(True)

    def program() -> None:
        with outside():  # the real process and the real signal
            swallows()
        bench.kernel.sleep(10 * SECOND)

    swallowed: list[bool] = []
    bench.host("a").launch("p", program)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    with pytest.raises(KeyboardInterrupt), watching(bench.kernel):
        bench.kernel.run(SECOND)
    after = signal.signal(signal.SIGINT, before)

    assert swallowed
    assert after is signal.default_int_handler, "the handler is put back"
    assert bench.kernel.now < SECOND


def test_real_time_is_capped(bench: Any) -> None:
    bench.kernel.after(1, time.sleep, 1.2)
    bench.kernel.after(2, time.sleep, 1.2)
    bench.kernel.after(3, lambda: None)

    with pytest.raises(CapReached, match="real time"), watching(bench.kernel, cap_s=1.0):
        bench.kernel.run(SECOND)
