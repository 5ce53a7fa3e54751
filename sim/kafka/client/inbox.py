"""The inbox: what happened for a client, until one of the program's threads asks for it."""

from collections import deque
from typing import Generic, TypeVar

import simpy

from sim.kernel import Kernel

Item = TypeVar("Item")


class Inbox(Generic[Item]):
    """A queue that threads of one process wait on."""

    __slots__ = ("_came", "_kernel", "items")

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel
        self._came: simpy.Event | None = None
        self.items: deque[Item] = deque()

    def put(self, item: Item) -> None:
        """Add `item` and wake whoever waits."""
        self.items.append(item)
        self.stir()

    def stir(self) -> None:
        """Wake whoever waits, to look again."""
        came, self._came = self._came, None
        if came is not None:
            came.succeed()

    def wait(self, deadline: int | None) -> bool:
        """Block until something came or `deadline`; false once the deadline has passed."""
        left = None
        if deadline is not None:
            left = deadline - self._kernel.now
            if left <= 0:
                return False
        if self._came is None:
            self._came = self._kernel.event()
        return self._kernel.wait(self._came, left)


def deadline(kernel: Kernel, timeout: float) -> int | None:
    """Return when `timeout` seconds are over; None for a negative one, which is for ever."""
    if timeout < 0:
        return None
    return kernel.now + int(timeout * 1_000_000_000)
