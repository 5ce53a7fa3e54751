"""Control totals: what a hop comes to, and what listed differences leave of a difference."""

from collections.abc import Iterable
from typing import Protocol

import msgspec


class Totals(Protocol):
    """How many effects a hop holds, how many copies beside them, and their sum per asset."""

    @property
    def name(self) -> str:
        """The hop's name."""

    @property
    def count(self) -> int:
        """How many effects there are."""

    @property
    def copies(self) -> int:
        """How many records merely repeat one."""

    @property
    def sums(self) -> dict[int, int]:
        """The sum per asset, in raw integers."""

    @property
    def ranges(self) -> str:
        """The first and last number of each series, for people."""


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """The totals of a hop whose effects were counted as they passed."""

    name: str
    count: int
    copies: int = 0
    sums: dict[int, int] = {}
    ranges: str = ""


class Part(Protocol):
    """One part of the difference between two hops."""

    @property
    def asset_id(self) -> int:
        """Which asset it is of."""

    @property
    def amount(self) -> int:
        """What the later hop has too much (+) or too little (-)."""

    @property
    def count(self) -> int:
        """How many effects the later hop has too many (+) or too few (-)."""


def remainder(before: Totals, after: Totals, parts: Iterable[Part]) -> dict[int, int]:
    """Return what is left of the difference of the control totals once all parts are taken off.

    The count's rest stands under asset 0.
    """
    rest = {a: after.sums.get(a, 0) - before.sums.get(a, 0) for a in before.sums | after.sums}
    rest[0] = after.count - before.count
    for part in parts:
        rest[part.asset_id] = rest.get(part.asset_id, 0) - part.amount
        rest[0] -= part.count
    return {asset: amount for asset, amount in rest.items() if amount}
