"""Who a process is: the same on every machine, whoever runs the harness."""

import os
import time
from typing import Any

import pytest

from sim.errors import SimulationEscape


def test_a_program_is_root_and_leads_its_own_group(arena: Any) -> None:
    def body() -> Any:
        own = os.getpid()
        return (
            (os.getuid(), os.geteuid(), os.getgid(), os.getgroups(), os.getlogin()),
            (os.getpgrp() == own, os.getpgid(0) == own, os.getsid(own) == own),
            (os.getloadavg(), os.times().user, os.times().elapsed - time.monotonic()),
        )

    root, leads, told = arena.run(body)

    assert root == (0, 0, 0, [0], "root")
    assert all(leads)
    assert told == ((0.0, 0.0, 0.0), 0.0, 0.0)


def test_nobody_leads_a_process_that_is_not_there(arena: Any) -> None:
    with pytest.raises(AssertionError, match="No such process"):
        arena.run(lambda: os.getpgid(99))


@pytest.mark.parametrize(
    "call", [lambda: os.nice(1), lambda: os.setuid(0), os.setsid], ids=["nice", "setuid", "setsid"]
)
def test_what_would_change_the_harness_is_an_escape(call: Any, arena: Any) -> None:
    arena.launch("p", call)

    with pytest.raises(SimulationEscape, match=r"p#1 called os\.(nice|setuid|setsid) at .*:\d+"):
        arena.kernel.run(10**9)
