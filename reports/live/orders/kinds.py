"""What orders moved, per kind and asset: how many changes and how much at each hop."""

from collections import Counter
from collections.abc import Iterator

import msgspec

from reports.breaks import Break
from reports.reconcile.trading import HOPS, INVARIANT, KINDS

TOLD, LOGGED, PUBLISHED, SETTLED = range(len(HOPS))

_Key = tuple[int, str, int]  # hop or step, kind, asset


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of change in one asset.

    `waiting` is, per step between two hops, how many changes (and how much) the later hop owes;
    negative if it is the earlier one: a lock is logged before the engine is told.
    """

    kind: str
    asset_id: int
    counts: tuple[int, ...]
    sums: tuple[int, ...]
    waiting: tuple[tuple[int, int], ...]

    def differs(self, step: int) -> int:
        """Return how many changes the later hop has too many (+) or too few (-), unexplained."""
        return self.counts[step + 1] - self.counts[step] + self.waiting[step][0]

    def amount(self, step: int) -> int:
        """Return by how much the later hop is too high (+) or too low (-), unexplained."""
        return self.sums[step + 1] - self.sums[step] + self.waiting[step][1]

    @property
    def wrong(self) -> list[int]:
        """The steps at which something is not explained."""
        return [s for s in range(len(self.waiting)) if self.differs(s) or self.amount(s)]


class Kinds:
    """Counts changes as they pass."""

    def __init__(self) -> None:
        self._counts: Counter[_Key] = Counter()
        self._sums: Counter[_Key] = Counter()
        self._waiting: Counter[_Key] = Counter()
        self._owed: Counter[_Key] = Counter()

    def add(self, hop: int, kind: str, asset_id: int, delta_avail: int, delta_frozen: int) -> None:
        """Take in a change at a hop; those of transfers are no matter of orders."""
        if kind in KINDS:
            key = hop, kind, asset_id
            self._counts[key] += 1
            self._sums[key] += abs(delta_avail or delta_frozen)

    def wait(
        self, step: int, kind: str, asset_id: int, delta_avail: int, delta_frozen: int, by: int = 1
    ) -> None:
        """Take in a change that the later hop of a step owes (`by` -1: the earlier one)."""
        if kind in KINDS:
            key = step, kind, asset_id
            self._waiting[key] += by
            self._owed[key] += by * abs(delta_avail or delta_frozen)

    @property
    def lines(self) -> tuple[Line, ...]:
        """All kinds, in the order of an order's life."""
        found = {(kind, asset) for _, kind, asset in self._counts}
        ordered = sorted(found, key=lambda key: (KINDS.index(key[0]), key[1]))
        return tuple(self._line(*key) for key in ordered)

    def _line(self, kind: str, asset_id: int) -> Line:
        hops, steps = range(len(HOPS)), range(len(HOPS) - 1)
        return Line(
            kind=kind,
            asset_id=asset_id,
            counts=tuple(self._counts[hop, kind, asset_id] for hop in hops),
            sums=tuple(self._sums[hop, kind, asset_id] for hop in hops),
            waiting=tuple(
                (self._waiting[step, kind, asset_id], self._owed[step, kind, asset_id])
                for step in steps
            ),
        )


def differing(lines: tuple[Line, ...]) -> Iterator[Break]:
    """Yield a break for each kind whose totals do not agree, with what is on its way."""
    for line in lines:
        for step in line.wrong:
            yield Break(
                invariant=INVARIANT,
                code="KIND_DIFFERS",
                where=f"{HOPS[step]} -> {HOPS[step + 1]} ({line.kind})",
                expected=f"{line.counts[step] - line.waiting[step][0]} changes",
                found=f"{line.counts[step + 1]}",
                amount=line.amount(step),
                asset_id=line.asset_id,
                cause="the sum of a kind of change is not the same at both",
            )
