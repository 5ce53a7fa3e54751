"""Transcripts say how old they are wherever they are replayed, and live tests how much they did."""

from pathlib import Path

import pytest

from tests.conformance import transcripts

COUNTED = pytest.StashKey[list[str]]()


@pytest.fixture
def counted(request: pytest.FixtureRequest) -> list[str]:
    """Lines about what was compared, shown after the tests."""
    return request.config.stash.setdefault(COUNTED, [])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List the transcripts, and what was compared live."""
    for path in sorted(Path(__file__).parent.glob("*/transcripts/*.jsonl")):
        name = path.relative_to(Path(__file__).parent)
        found = transcripts.read(path)
        terminalreporter.write_line(f"{name}: {found.header.age()}; {found.size()}")
    for line in terminalreporter.config.stash.get(COUNTED, []):
        terminalreporter.write_line(line)
