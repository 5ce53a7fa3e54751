"""The watch: counts the calls of a program at its doors, and says which one is struck.

Counting is pure bookkeeping on the board; only `Strike.hit` harms the process that it runs in.
"""

import json
import os
import signal
import threading
import time
from fnmatch import fnmatchcase

from sim.doors.through.board import Board, Cell
from sim.doors.through.plan import DoorPlan, Rule
from sim.doors.through.power import Ledger

_LOOK_S = 0.001
_sleep, _kill, _getpid = time.sleep, os.kill, os.getpid
_open, _write, _close = os.open, os.write, os.close


class Strike:
    """A moment that has come: `part` of the call is done first, then `hit`."""

    def __init__(self, watch: "Watch", index: int) -> None:
        self._watch = watch
        self._index = index
        self._rule = watch.rules[index]
        self.part = self._rule.part

    def interrupted(self, path: str, offset: int, done: int, asked: int) -> None:
        """Leave a note of which bytes of a write were done."""
        note = {"rule": self._index, "path": path, "offset": offset, "done": done, "asked": asked}
        self._watch.note(note)

    def hit(self) -> None:
        """Die, or let the stage do the harm and go on."""
        board = self._watch.board
        board.put(self._index, Cell.CAME, _getpid())
        if self._rule.dies:
            _kill(_getpid(), signal.SIGKILL)
        while not board.get(self._index, Cell.GO):
            _sleep(_LOOK_S)


class Watch:
    """Knows the rules of one program and what was counted of each."""

    def __init__(self, plan: DoorPlan, board: Board) -> None:
        self.rules: tuple[Rule, ...] = plan.rules
        self.board = board
        self._notes = plan.notes
        self._paths = plan.paths
        self._counting = threading.Lock()
        self.ledger = Ledger(plan.power, plan.paths[0][0]) if plan.power else None

    def doors(self) -> frozenset[str]:
        """Return the doors at which anything is to happen."""
        return frozenset(rule.door for rule in self.rules)

    def subject(self, path: str) -> str:
        """Return a path as scenarios call it."""
        for real, plan in self._paths:
            if path == real or path.startswith(real + "/"):
                return plan + path[len(real) :]
        return path

    def strike(self, door: str, subject: str) -> Strike | None:
        """Count one call at `door` on `subject`; return the strike if its moment has come."""
        come = None
        for index, rule in self._matching("moment", door, subject):
            with self._counting:
                seen = self.board.get(index, Cell.SEEN) + 1
                self.board.put(index, Cell.SEEN, seen)
            if seen == rule.ordinal and come is None:
                come = Strike(self, index)
        return come

    def error(self, door: str, subject: str) -> int:
        """Return the error number with which this call must fail; 0 if it need not."""
        for index, rule in self._matching("error", door, subject):
            with self._counting:
                left = self.board.get(index, Cell.LEFT)
                if left <= 0:
                    continue
                self.board.put(index, Cell.LEFT, left - 1)
                self._bite(index)
            return rule.errno
        return 0

    def full(self, subject: str) -> bool:
        """Whether there is no space for this file to grow or to be made."""
        for index, _ in self._matching("full", "space", subject):
            with self._counting:
                self._bite(index)
            return True
        return False

    def slow_ns(self, door: str, subject: str) -> int:
        """Return by how much longer this call takes."""
        slow = 0
        for index, rule in self._matching("slow", door, subject):
            with self._counting:
                self._bite(index)
            slow += rule.by_ns
        return slow

    def note(self, note: dict[str, object]) -> None:
        """Append to the notes, by one write, as the last act of a process may be."""
        descriptor = _open(self._notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        _write(descriptor, json.dumps(note).encode() + b"\n")
        _close(descriptor)

    def _matching(self, kind: str, door: str, subject: str) -> list[tuple[int, Rule]]:
        return [
            (index, rule)
            for index, rule in enumerate(self.rules)
            if rule.kind == kind
            and rule.door == door
            and self.board.get(index, Cell.ARMED)
            and fnmatchcase(subject, rule.subject)
        ]

    def _bite(self, index: int) -> None:
        self.board.put(index, Cell.BITES, self.board.get(index, Cell.BITES) + 1)
