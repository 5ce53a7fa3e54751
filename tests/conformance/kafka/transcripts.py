"""What a real broker answered, written down: one file for each kind of sequences, a line for each.

The first line says when, which server, and of what the sequences were made (their seed).
"""

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent / "transcripts"


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


def path(kind: str) -> Path:
    """Return the file of a kind of sequences."""
    return FOLDER / f"{kind}.jsonl"


def read(kind: str) -> Transcript:
    """Return what was recorded."""
    first, *lines = path(kind).read_text(encoding="utf-8").splitlines()
    return Transcript(Header(**json.loads(first)), dict(map(json.loads, lines)))


def write(kind: str, server: str, sequences: Mapping[str, Any], seed: int | None = None) -> None:
    """Keep what was recorded today."""
    header = Header(dt.datetime.now(dt.UTC).date().isoformat(), server, seed)
    rows: list[Any] = [header._asdict(), *sequences.items()]
    FOLDER.mkdir(exist_ok=True)
    lines = [json.dumps(row, separators=(",", ":")) for row in rows]
    path(kind).write_text("\n".join(lines) + "\n", encoding="utf-8")
