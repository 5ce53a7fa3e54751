"""Shrinking: the fewest faults of a plan with which something still happens.

Delta debugging (Zeller and Hildebrandt, TSE 2002) in its greedy form: chunks are left out, at first
halves of the plan, in the end single steps, until not one can go.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from scenarios.scenario import Plan


@dataclass(slots=True)
class Shrinking:
    """Looks for the smallest part of `plan` with which it `happens`; asks at most `budget` times.

    `plan` is the smallest found so far. Once `smallest` is set, it happens no more without any one
    of its steps.
    """

    plan: Plan
    happens: Callable[[Plan], bool]
    budget: int
    enough: Callable[[], bool] = lambda: False
    asked: int = 0
    smallest: bool = False
    _known: dict[Plan, bool] = field(default_factory=dict)

    def go(self) -> None:
        """Shrink until not one step can go, the budget is used up, or somebody says enough."""
        try:
            if self.plan and self._still(()):
                self.plan = ()
            size = max(len(self.plan) // 2, 1)
            while self._without_chunks(size) or size > 1:
                size = max(min(size // 2, len(self.plan) // 2), 1)
            self.smallest = True
        except _EnoughError:
            return

    def _without_chunks(self, size: int) -> bool:
        """Leave out every chunk of `size` steps that can go, the last ones first; whether any."""
        before = self.plan
        for start in range((len(before) - 1) // size * size, -1, -size):
            rest = self.plan[:start] + self.plan[start + size :]
            if self._still(rest):
                self.plan = rest
        return self.plan != before

    def _still(self, plan: Plan) -> bool:
        if plan not in self._known:
            if self.asked >= self.budget or self.enough():
                raise _EnoughError
            self.asked += 1
            self._known[plan] = self.happens(plan)
        return self._known[plan]


class _EnoughError(Exception):
    """No more may be asked."""
