"""Threads: greenlets of a simulated process, which give the loop the floor while they wait."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import simpy
from greenlet import GreenletExit, greenlet

if TYPE_CHECKING:
    from sim.process import Process


class Killed(BaseException):
    """Unwinds the threads of a dead process. Programs never see a reason to catch it."""


class Thread(greenlet):
    """One thread of a simulated process."""

    def __init__(
        self,
        process: "Process",
        target: Callable[..., Any],
        args: tuple[Any, ...],
        name: str,
        *,
        daemon: bool,
    ) -> None:
        super().__init__(parent=process.kernel.hub)
        process.threads_started += 1
        self.process = process
        self.target = target
        self.args = args
        self.ident = process.threads_started
        self.name = name or f"thread-{self.ident}"
        self.daemon = daemon
        self.locals: dict[Any, Any] = {}
        self.finished = process.kernel.event()
        self.parked = False
        self.alarm: simpy.Event | None = None  # of its last sleep, to be used again
        self._floor: Callable[[], simpy.Event | None] = self.parent.switch  # type: ignore[union-attr]
        # What must be put aside while another thread runs and taken up again afterwards
        # (asyncio's running loop and generator hooks); None when there is nothing.
        self.leave: Callable[[], Callable[[], None]] | None = None

    def run(self) -> None:
        """Run the target; what ends it decides how the process ends if this is its main thread."""
        process = self.process
        try:
            if process.alive:
                self.target(*self.args)
        except (Killed, GreenletExit):
            pass
        except BaseException as error:  # noqa: BLE001 - it must end here, in the harness's hands
            process.uncaught(self, error)
        finally:
            process.threads.pop(self.ident, None)
            if not self.finished.triggered:
                self.finished.succeed()

    def park(self) -> simpy.Event | None:
        """Give the loop the floor until `wake`; return what woke."""
        if not self.process.alive:
            raise Killed
        self.parked = True
        if self.leave is None:
            return self._floor()
        come_back = self.leave()
        try:
            return self._floor()
        finally:
            come_back()

    def wake(self, event: simpy.Event | None) -> None:
        """Let the thread go on, called from the loop; later than the first call it does nothing."""
        if not self.parked:
            return
        self.parked = False
        process = self.process
        if process.alive:
            if process.paused:
                process.backlog.append((self._go_on, (event,)))
            else:
                self.switch(event)

    def _go_on(self, event: simpy.Event | None) -> None:
        if not self.dead:
            self.switch(event)
