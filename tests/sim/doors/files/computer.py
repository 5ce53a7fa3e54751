"""A computer with a disk, whose processes reach files through the stand-ins."""

import traceback
from collections.abc import Callable
from typing import Any

from sim.clock import Clock
from sim.disk import Disk
from sim.host import Host
from sim.kernel import SECOND, Kernel
from sim.network import Network
from sim.process import Process

opened: list[Kernel] = []  # kernels whose worlds the test's end closes


class Computer:
    """A host of its own world; `run` is one incarnation of a program from start to end."""

    def __init__(self, profile: str = "posix", seed: int = 1, *, keep_trace: bool = False) -> None:
        self.kernel = Kernel(seed, keep_trace=keep_trace)
        self.disk = Disk(profile, self.kernel.stream("disk"))
        clock = Clock(lambda: self.kernel.now, 10**18)
        opened.append(self.kernel)
        self.host = Host(self.kernel, Network(self.kernel), "h", clock, self.disk)

    def start(self, program: Callable[[], Any]) -> Process:
        process = self.host.launch("program", program)
        process.on_uncaught = lambda _, error: process.stderr.append(
            "".join(traceback.format_exception(error))
        )
        return process

    def run(self, program: Callable[[], Any]) -> Any:
        """Return what `program` returns; its error is the test's."""
        results: list[Any] = []

        def keep() -> None:
            results.append(program())

        process = self.start(keep)
        self.kernel.run(self.kernel.now + 100 * SECOND)
        assert results or process.exit_code in {-9, 3}, process.stderr
        return results[0] if results else None
