"""What the command line answers with an exit code of its own instead of a traceback.

WavetankError
├── UsageError      2   something was asked for that does not exist or cannot be meant
├── Unreadable      3   a source could not be read to its end: nothing is known of the rest
├── Infrastructure  75  the machine under us failed: a full disk, a dead worker
└── Different       4   the same seed took another course
"""

from collections.abc import Iterable
from difflib import get_close_matches


class WavetankError(Exception):
    """The base: `code` is the exit code of the command."""

    code = 1


class UsageError(WavetankError):
    """Names the thing, the value and what to do."""

    code = 2


class Unreadable(WavetankError):
    """What was asked cannot be answered: part of what it is about could not be read."""

    code = 3


class Different(WavetankError):
    """Two runs of one seed were not the same run."""

    code = 4


class Infrastructure(WavetankError):
    """Nothing is wrong with the ledger; the run could not be made or kept."""

    code = 75


def unknown(what: str, name: str, names: Iterable[str], listed: str) -> UsageError:
    """Return the error of a name that nothing has, with the nearest one that something has."""
    known = tuple(names)
    close = [each for each in known if name and each.startswith(name)]
    close = close[:1] or get_close_matches(name, known, 1, 0.5)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return UsageError(f"no {what} is called {name!r}{hint} ({listed})")
