"""Trouble: rules by which calls on a disk fail, as faults inject them and heal them."""

import errno as errnos
from fnmatch import fnmatchcase


class Rule:
    """Lets calls at `door` on matching paths fail with `error`, `times` times or until healed.

    With `short` set, a write or read is cut to that many bytes instead. `bites` counts.
    """

    __slots__ = ("bites", "door", "error", "left", "path", "short")

    def __init__(
        self,
        door: str,
        error: int,
        path: str = "*",
        times: int | None = None,
        short: int | None = None,
    ) -> None:
        if error not in errnos.errorcode:
            raise ValueError(f"{error} is no errno")
        self.door = door
        self.error = error
        self.path = path
        self.left = times
        self.short = short
        self.bites = 0

    def strikes(self, door: str, path: str) -> bool:
        """Whether this call fails; counts it if so."""
        if door != self.door or self.left == 0 or not fnmatchcase(path, self.path):
            return False
        if self.left is not None:
            self.left -= 1
        self.bites += 1
        return True
