"""Transcripts say how old they are wherever they are replayed, and live tests how much they did."""

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest

from tests.conformance import transcripts

MINUTES = 1.0  # that each random comparison goes on, if nothing else is said

COUNTED = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person say how long random requests are drawn."""
    parser.addoption("--minutes", type=float, help="how long each random comparison goes on")


@pytest.fixture
def turns(request: pytest.FixtureRequest) -> Iterator[int]:
    """Numbers from 0 on, for as long as random requests are to be drawn."""

    def until_over() -> Iterator[int]:
        minutes = request.config.getoption("minutes", default=None) or MINUTES
        over = time.monotonic() + 60 * minutes
        for number in count():
            yield number
            if time.monotonic() >= over:
                return

    return until_over()


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
