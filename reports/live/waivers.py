"""Waivers: breaks that somebody has answered for, until a date."""

import datetime as dt
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

import msgspec

from reports.breaks import Break
from reports.naming import account_name
from system.config import NonEmpty, Section


class Waiver(Section, frozen=True):
    """One: `key` is a pattern (`*`, `?`) for the break's place, its account or its request id.

    An account is written as everywhere: ``user 1002 BTC``.
    """

    code: NonEmpty
    key: NonEmpty
    owner: NonEmpty
    reason: NonEmpty
    expires: dt.date

    def covers(self, found: Break) -> bool:
        """Whether it speaks of this break."""
        account = account_name((found.user_id, found.asset_id)) if found.user_id else ""
        names = (found.where, account, found.request_id)
        named = any(fnmatchcase(name, self.key) for name in names)
        return fnmatchcase(found.code, self.code) and named

    def __str__(self) -> str:
        """Say whose it is."""
        return f"{self.code} {self.key!r}, {self.owner} until {self.expires}: {self.reason}"


class Waivers(Section, frozen=True):
    """The file."""

    waiver: tuple[Waiver, ...] = ()


class Waived(msgspec.Struct, frozen=True, kw_only=True):
    """What the waivers came to."""

    breaks: tuple[tuple[Break, Waiver], ...] = ()
    expired: tuple[tuple[Waiver, int], ...] = ()  # with how many breaks it would have covered
    unused: tuple[Waiver, ...] = ()


def waive(
    found: Iterable[Break], waivers: Sequence[Waiver], today: dt.date
) -> tuple[list[Break], Waived]:
    """Split breaks into those that count and those that are waived. A waiver holds on its date."""
    counting: list[Break] = []
    waived: list[tuple[Break, Waiver]] = []
    too_late: dict[Waiver, int] = {w: 0 for w in waivers if w.expires < today}
    used: set[Waiver] = set()
    for broken in found:
        covering = [waiver for waiver in waivers if waiver.covers(broken)]
        holding = next((w for w in covering if w not in too_late), None)
        if holding is not None:
            waived.append((broken, holding))
            used.add(holding)
            continue
        counting.append(broken)
        for waiver in covering:
            too_late[waiver] += 1
    unused = tuple(w for w in waivers if w not in used and w not in too_late)
    expired = tuple(too_late.items())
    return counting, Waived(breaks=tuple(waived), expired=expired, unused=unused)
