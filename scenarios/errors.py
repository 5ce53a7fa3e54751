"""What the command line answers with an exit code of its own instead of a traceback.

WavetankError
├── UsageError      2   something was asked for that does not exist or cannot be meant
├── Unreadable      3   a source could not be read to its end: nothing is known of the rest
├── Infrastructure  75  the machine under us failed: a full disk, a dead worker
└── Different       4   the same seed took another course
"""


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
