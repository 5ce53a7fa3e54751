"""The watchdog: a program that never comes back is named, with its stack."""

import time
from typing import Any

import pytest

from sim.errors import CapReached, Stalled
from sim.kernel import SECOND
from sim.watchdog import watching


def test_a_program_that_computes_for_ever_is_named(bench: Any) -> None:
    def spins() -> None:
        while True:
            pass

    bench.host("a").launch("spinner", spins)

    with pytest.raises(Stalled, match="in spins"), watching(bench.kernel, stall_s=1.0):
        bench.kernel.run(SECOND)


def test_real_time_is_capped(bench: Any) -> None:
    bench.kernel.after(1, time.sleep, 1.2)
    bench.kernel.after(2, time.sleep, 1.2)
    bench.kernel.after(3, lambda: None)

    with pytest.raises(CapReached, match="real time"), watching(bench.kernel, cap_s=1.0):
        bench.kernel.run(SECOND)
