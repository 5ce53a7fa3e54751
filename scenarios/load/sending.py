"""Sending a load: a thread that sends each request at its time, and repeats what failed."""

import random
import threading
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from scenarios.load.arrivals import Spacing, arrivals
from scenarios.load.requests import Request, Requests
from scenarios.load.samples import Samples

_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Burst:
    """Requests at one rate for a time."""

    rate: float
    lasts_ns: int
    spacing: Spacing


class Sender(ABC):
    """Sends bursts one after the other, each in a thread of its own.

    `answers` counts every answer and error, those of repeated attempts included.
    """

    def __init__(
        self, samples: Samples, requests: Requests, stream: random.Random, now: Callable[[], int]
    ) -> None:
        self.samples = samples
        self.requests = requests
        self.stream = stream
        self.now = now
        self.answers: Counter[str] = Counter()
        self.trouble = ""
        self._begun_ns = 0
        self._begun = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, burst: Burst) -> int:
        """Begin to send, once connected; return from when on the burst's times count."""
        self._begun.clear()
        self._thread = threading.Thread(
            target=self._guarded, args=(burst,), name="load", daemon=True
        )
        self._thread.start()
        self._begun.wait(_CONNECT_S)
        return self._begun_ns

    @property
    def sending(self) -> bool:
        """Whether a burst is still being sent, or answers are awaited."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def stopped(self) -> bool:
        """Whether nothing more is to be sent."""
        return self._stop.is_set()

    def stop(self, timeout_s: float) -> None:
        """Send nothing more; wait a little for answers."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    @abstractmethod
    def send(self, burst: Burst) -> None:
        """Send a burst, and return when it is known what became of it or nobody will know."""

    def due(self, burst: Burst) -> Iterator[int]:
        """Yield the time of each request of a burst; it begins now."""
        self._begun_ns = self.now()
        self._begun.set()
        for at in arrivals(burst.rate, burst.spacing, self.stream):
            if at >= burst.lasts_ns or self.stopped:
                return
            yield self._begun_ns + at

    def begin(self, intended_ns: int) -> tuple[int, Request]:
        """Draw the next request; return its number and the request."""
        request = self.requests.draw()
        return self.samples.begin(request.request_id, intended_ns, self.now()), request

    def _guarded(self, burst: Burst) -> None:
        try:
            self.send(burst)
        except Exception as error:  # noqa: BLE001 - the course of the run reads it
            self.trouble = f"{type(error).__name__}: {error}"
            self._begun.set()
