"""Arrivals of an open-loop load: when each request is meant to be sent, whatever became of others.

A closed loop waits for an answer before it asks again, so a stall slows the asker down and hides
itself (coordinated omission). Here times are fixed before the first request is sent.
"""

import random
from collections.abc import Iterator
from itertools import count
from typing import Literal

SECOND = 10**9

Spacing = Literal["fixed", "poisson"]


def arrivals(rate: float, spacing: Spacing, stream: random.Random) -> Iterator[int]:
    """Yield times in nanoseconds from the start, without end; `rate` is requests a second."""
    if spacing == "fixed":
        yield from (round(number * SECOND / rate) for number in count())
        return
    at = 0.0
    while True:
        at += stream.expovariate(rate)
        yield round(at * SECOND)
