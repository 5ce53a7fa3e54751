"""The plan of one program's doors: what the stage writes, and the launched program reads."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["moment", "error", "full", "slow"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What happens to calls at `door` on subjects that match the glob `subject`, while armed.

    ``moment``: the `ordinal`-th call is interrupted when `part` of it is done; the process kills
    itself if it `dies`, else it waits until the stage has done the harm. ``error``: the next
    `times` calls fail with `errno`. ``full``: there is no space. ``slow``: `by_ns` longer.
    """

    kind: Kind
    door: str
    subject: str = "*"
    ordinal: int = 1
    part: float = 0.0
    dies: bool = False
    errno: int = 0
    times: int = 0
    by_ns: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPlan:
    """All rules of one program.

    `board` is the file through which the stage arms rules and reads counts, `notes` the file of
    interrupted writes; `paths` says how real path prefixes are called in the plan of a scenario.
    `power` is where to keep account of what is durable below the first of them, if at all.
    """

    board: str
    notes: str
    rules: tuple[Rule, ...]
    paths: tuple[tuple[str, str], ...] = ()
    clock: bool = False
    power: str = ""

    def save(self, path: Path) -> None:
        """Write the plan for the program to read."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "DoorPlan":
        """Read what `save` wrote."""
        raw = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            board=raw["board"],
            notes=raw["notes"],
            rules=tuple(Rule(**rule) for rule in raw["rules"]),
            paths=tuple((real, plan) for real, plan in raw["paths"]),
            clock=raw["clock"],
            power=raw["power"],
        )
