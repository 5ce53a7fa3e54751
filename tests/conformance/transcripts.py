"""What a real server answered, written down: a file for each kind of sequences, a line for each.

The first line says when, which server, and of what the sequences were made (their seed).
"""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple


class Header(NamedTuple):
    """Where a transcript comes from."""

    recorded: str  # the day, as 2026-11-25
    server: str
    seed: int | None = None

    def age(self) -> str:
        """Return how old it is, for people."""
        today = dt.datetime.now(dt.UTC).date()
        days = (today - dt.date.fromisoformat(self.recorded)).days
        return f"{self.server}, recorded {self.recorded}, {days} days ago"


class Transcript(NamedTuple):
    """A header, and by name of each sequence what was asked and answered."""

    header: Header
    sequences: dict[str, Any]

    def size(self) -> str:
        """Return how much was asked, for people."""
        asked = [
            sum(map(len, each["asked"].values()))
            if "asked" in each
            else len(each["notes"])
            if "notes" in each
            else len(each)
            for each in self.sequences.values()
        ]
        return f"sequences {len(asked)}, questions {sum(asked):,}"


def read(path: Path) -> Transcript:
    """Return what was recorded."""
    first, *lines = path.read_text(encoding="utf-8").splitlines()
    return Transcript(Header(**json.loads(first)), dict(map(json.loads, lines)))


def write(path: Path, server: str, sequences: Mapping[str, Any], seed: int | None = None) -> None:
    """Keep what was recorded today."""
    header = Header(dt.datetime.now(dt.UTC).date().isoformat(), server, seed)
    rows: list[Any] = [header._asdict(), *sequences.items()]
    path.parent.mkdir(exist_ok=True)
    lines = [json.dumps(row, separators=(",", ":")) for row in rows]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
