"""The gate before a consumer: one thread at a time, but callbacks may call back in.

Who is inside is told by the thread, or by the identity that the wheel's asyncio layer carries in
``_reentry_identity_var`` (its calls and their callbacks run in different threads).
"""

from typing import Any

import simpy

from sim.kafka.client.wheel import real
from sim.kernel import Kernel
from sim.process import current, running

_identity = real._reentry_identity_var


class Gate:
    """A lock that whoever holds it may take again."""

    __slots__ = ("_depth", "_freed", "_holder", "_kernel")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._holder: Any = None
        self._depth = 0
        self._freed: simpy.Event | None = None

    def __enter__(self) -> None:
        running()
        me = _identity.get() or current()
        while self._holder is not None and self._holder != me:
            if self._freed is None:
                self._freed = self._kernel.event()
            self._kernel.wait(self._freed)
        self._holder = me
        self._depth += 1

    def __exit__(self, *_: object) -> None:
        self._depth -= 1
        if self._depth == 0:
            self._holder = None
            freed, self._freed = self._freed, None
            if freed is not None:
                freed.succeed()
