"""Breaks: what was found wrong, each with its invariant, its amount and, where known, its cause."""

from collections.abc import Iterable
from typing import Literal

import msgspec

from reports.amounts import money, seconds

Verdict = Literal["held", "broken", "unknown"]


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """One violation. ``amount`` is what the place has too much (+) or too little (-) of an asset.

    ``code`` is stable and in capitals; ``where`` names the place (an account, a partition and
    offset, a frame); ``at_ns`` is when the thing happened that broke the promise.
    """

    invariant: str
    code: str
    where: str
    expected: str = ""
    found: str = ""
    amount: int = 0
    asset_id: int = 0
    user_id: int = 0
    request_id: str = ""
    at_ns: int | None = None
    age_ns: int | None = None
    cause: str = ""

    def __str__(self) -> str:
        """Say all of it in one line."""
        parts = [f"{self.invariant} {self.code} {self.where}"]
        if self.expected or self.found:
            parts.append(f"expected {self.expected or 'nothing'}, found {self.found or 'nothing'}")
        if self.amount:
            parts.append(money(self.amount, self.asset_id, sign=True))
        if self.at_ns is not None:
            parts.append(f"at {seconds(self.at_ns)}")
        if self.cause:
            parts.append(self.cause)
        return "; ".join(parts)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """What checking one invariant came to; ``excused`` says what was owed and therefore passed."""

    invariant: str
    promise: str
    checked: int
    breaks: tuple[Break, ...] = ()
    excused: tuple[str, ...] = ()
    error: str = ""

    @property
    def verdict(self) -> Verdict:
        """Broken if anything is, else unknown if nothing was (or could be) checked."""
        if self.breaks:
            return "broken"
        return "held" if (self.checked or self.excused) and not self.error else "unknown"


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the verdict of many: one break is enough, and one unknown keeps it from holding."""
    seen = set(verdicts)
    if "broken" in seen:
        return "broken"
    return "unknown" if "unknown" in seen or not seen else "held"
