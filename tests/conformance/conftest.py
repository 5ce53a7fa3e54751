"""Transcripts say how old they are wherever they are replayed."""

from pathlib import Path

import pytest

from tests.conformance import transcripts


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the transcripts after the tests."""
    for path in sorted(Path(__file__).parent.glob("*/transcripts/*.jsonl")):
        name = path.relative_to(Path(__file__).parent)
        terminalreporter.write_line(f"{name}: {transcripts.read(path).header.age()}")
