"""Breaks as they are found: listed one by one up to a number, beyond it only counted."""

from collections.abc import Iterator

from reports.breaks import Break


class Listed:
    """At most `most` breaks; `what` names what the others are."""

    def __init__(self, most: int = 0, what: str = "") -> None:
        self.most = most
        self.what = what
        self.more = 0
        self._breaks: list[Break] = []

    def add(self, broken: Break) -> None:
        """Take in a break."""
        if len(self._breaks) < self.most:
            self._breaks.append(broken)
        else:
            self.more += 1

    def __iter__(self) -> Iterator[Break]:
        """Yield those that are listed."""
        return iter(self._breaks)
