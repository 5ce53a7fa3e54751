"""What a real broker answered, written down: one file for each kind of sequences."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.conformance import transcripts
from tests.conformance.transcripts import Header, Transcript

FOLDER = Path(__file__).parent / "transcripts"


def path(kind: str) -> Path:
    """Return the file of a kind of sequences."""
    return FOLDER / f"{kind}.jsonl"


def read(kind: str) -> Transcript:
    """Return what was recorded."""
    return transcripts.read(path(kind))


def write(kind: str, server: str, sequences: Mapping[str, Any], seed: int | None = None) -> None:
    """Keep what was recorded today."""
    transcripts.write(path(kind), server, sequences, seed)


__all__ = ["FOLDER", "Header", "Transcript", "path", "read", "write"]
