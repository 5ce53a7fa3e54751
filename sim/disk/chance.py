"""Chance: who decides what a power loss leaves, a seeded stream or an explicit list of choices.

Options are ordered from what is oldest (durable) to what is newest (as written).
"""

import random
from collections.abc import Sequence
from typing import Protocol


class Chance(Protocol):
    """Decides between options."""

    def begin(self) -> None:
        """Begin the decisions of one power loss."""

    def pick(self, options: int) -> int:
        """Return a number below `options`; 0 is the oldest."""

    def garbage(self, size: int) -> bytes:
        """Return `size` bytes that nobody wrote."""


class Drawn:
    """Decides by a random stream, each power loss in a mood of its own.

    Without moods, independent draws would practically never lose all or keep all of many sectors.
    """

    def __init__(self, stream: random.Random) -> None:
        self._stream = stream
        self._oldest, self._newest = 0.0, 0.0

    def begin(self) -> None:
        """Draw how much of what was pending had been written back."""
        self._oldest, self._newest = self._stream.choice(
            ((1.0, 0.0), (0.0, 1.0), (0.1, 0.8), (0.2, 0.4), (0.4, 0.4), (0.7, 0.2))
        )

    def pick(self, options: int) -> int:
        """Draw one of the options by this power loss's mood."""
        if options < 2:
            return 0
        drawn = self._stream.random()
        if drawn < self._oldest:
            return 0
        if drawn < self._oldest + self._newest:
            return options - 1
        return self._stream.randrange(options)

    def garbage(self, size: int) -> bytes:
        """Draw bytes."""
        return self._stream.randbytes(size)


class Chosen:
    """Decides by a list; beyond its end everything stays at its oldest.

    `taken` holds (choice, options) of each decision, so that all of them can be enumerated.
    """

    def __init__(self, choices: Sequence[int] = ()) -> None:
        self._choices = tuple(choices)
        self.taken: list[tuple[int, int]] = []

    def begin(self) -> None:
        """Nothing to prepare."""

    def pick(self, options: int) -> int:
        """Return the next choice of the list."""
        if options < 2:
            return 0
        at = len(self.taken)
        choice = min(self._choices[at], options - 1) if at < len(self._choices) else 0
        self.taken.append((choice, options))
        return choice

    def garbage(self, size: int) -> bytes:
        """Return what is easily recognised."""
        return b"\xa5" * size

    def following(self) -> tuple[int, ...] | None:
        """Return the list of the next run in a depth-first search; None after the last."""
        taken = list(self.taken)
        while taken:
            choice, options = taken.pop()
            if choice + 1 < options:
                return (*(earlier for earlier, _ in taken), choice + 1)
        return None
