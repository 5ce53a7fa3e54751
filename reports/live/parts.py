"""Collectors with bounded memory: totals of a hop, and the parts of a step's difference."""

import msgspec

from reports.reconcile.statement import Difference, Step
from reports.reconcile.totals import Counted, Totals, remainder

change = msgspec.structs.replace


class Tally:
    """Counts the effects of a hop as they pass."""

    def __init__(self, name: str, series: str) -> None:
        self.name = name
        self.series = series
        self.count = 0
        self.copies = 0
        self.sums: dict[int, int] = {}
        self.spans: dict[str, tuple[int, int]] = {}

    def add(self, asset_id: int, amount: int, count: int = 1) -> None:
        """Take in an effect, or correct by one."""
        self.count += count
        self.sums[asset_id] = self.sums.get(asset_id, 0) + amount

    def reach(self, place: str, first: int, last: int) -> None:
        """Note which numbers of a series were seen."""
        low, high = self.spans.get(place, (first, last))
        self.spans[place] = min(low, first), max(high, last)

    @property
    def totals(self) -> Counted:
        """What the hop comes to."""
        ranges = ", ".join(
            f"{place} {self.series} {low}-{high}".strip()
            for place, (low, high) in sorted(self.spans.items())
        )
        sums = {asset: amount for asset, amount in self.sums.items() if asset}
        return Counted(
            name=self.name, count=self.count, copies=self.copies, sums=sums, ranges=ranges
        )


class Found(msgspec.Struct, frozen=True, gc=False):
    """One part of a difference, before it is decided whether it is listed."""

    code: str
    asset_id: int
    amount: int
    count: int
    at_ms: int | None
    user_id: int = 0
    request_id: str = ""
    place: str = ""
    cause: str = ""


class Flight(msgspec.Struct, frozen=True):
    """What was on its way between two hops as of the cut."""

    count: int
    sums: dict[int, int]
    oldest_ms: int | None


class Parts:
    """The parts of one step. Breaks are listed one by one up to a number, the rest is summed up."""

    def __init__(self, before: str, after: str, cut_ms: int, most: int) -> None:
        self.before = before
        self.after = after
        self.cut_ms = cut_ms
        self.most = most
        self.listed: list[Found] = []
        self.summed: dict[tuple[bool, str, int, str], tuple[int, Found]] = {}

    def explain(self, found: Found) -> None:
        """Take in a part that is as it should be."""
        self._sum(found, explained=True)

    def accuse(self, found: Found) -> None:
        """Take in a part that is a break."""
        if len(self.listed) < self.most:
            self.listed.append(found)
        else:
            self._sum(found, explained=False)

    def late(self, found: Found, max_age_ms: int) -> None:
        """Take in something that has not arrived: on its way, or stuck if it is too old."""
        age_ms = self.cut_ms - (self.cut_ms if found.at_ms is None else found.at_ms)
        if age_ms <= max_age_ms:
            self.explain(change(found, code="IN_FLIGHT"))
        else:
            bound = f"{max_age_ms / 1000:g} s"
            cause = f"on its way for {age_ms / 1000:.1f} s, longer than {bound}: {found.cause}"
            self.accuse(change(found, code="STUCK", cause=cause))

    def _sum(self, found: Found, *, explained: bool) -> None:
        key = explained, found.code, found.asset_id, found.cause if explained else ""
        number, known = self.summed.get(key, (0, found))
        if number:
            stamps = [ms for ms in (known.at_ms, found.at_ms) if ms is not None]
            known = change(
                known,
                amount=known.amount + found.amount,
                count=known.count + found.count,
                at_ms=min(stamps, default=None),
            )
        self.summed[key] = number + 1, known

    @property
    def flight(self) -> Flight:
        """What was on its way, stuck or not."""
        waiting = [f for f in self.listed if f.code == "STUCK"]
        waiting += [f for _, f in self.summed.values() if f.code in ("IN_FLIGHT", "STUCK")]
        sums: dict[int, int] = {}
        for found in waiting:
            if found.asset_id:
                sums[found.asset_id] = sums.get(found.asset_id, 0) - found.amount
        oldest = min((f.at_ms for f in waiting if f.at_ms is not None), default=None)
        return Flight(-sum(f.count for f in waiting), sums, oldest)

    def step(self, before: Totals, after: Totals) -> Step:
        """Return the step with all its parts, and what they leave unexplained."""
        parts = [self._difference(found, 1, explained=False) for found in self.listed]
        parts += [
            self._difference(found, number, explained=key[0])
            for key, (number, found) in sorted(self.summed.items(), key=lambda item: item[0])
        ]
        return Step(
            before=self.before,
            after=self.after,
            differences=tuple(parts),
            unexplained=remainder(before, after, parts),
        )

    def _difference(self, found: Found, number: int, *, explained: bool) -> Difference:
        alone = number == 1
        at_ns = None if found.at_ms is None else (found.at_ms - self.cut_ms) * 1_000_000
        more = "" if explained else " more"
        when = " in all" if at_ns is None else ", the oldest at this time"
        return Difference(
            code=found.code,
            explained=explained,
            user_id=found.user_id if alone else 0,
            request_id=found.request_id if alone else "",
            asset_id=found.asset_id,
            amount=found.amount,
            count=found.count,
            at_ns=at_ns,
            place=found.place if alone else f"{number}{more}{when}",
            cause=found.cause,
            parts=number,
        )


def left_over(step: Step, place: str, cause: str) -> Step:
    """Name what a step's parts leave over, where it is known whose it is."""
    parts = [
        Difference(
            code="MORE",
            explained=False,
            user_id=0,
            request_id="",
            asset_id=asset,
            amount=amount if asset else 0,
            count=0 if asset else amount,
            at_ns=None,
            place=place,
            cause=cause,
        )
        for asset, amount in sorted(step.unexplained.items())
    ]
    return change(step, differences=(*step.differences, *parts), unexplained={})
