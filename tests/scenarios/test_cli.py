"""Whatever a command raises becomes one line and a documented exit code."""

import signal
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from scenarios.cli import _Group
from scenarios.errors import Different, Infrastructure, UsageError
from sim.errors import CapReached, SimulationEscape, Stalled
from tests.scenarios.commanding import wavetank


def _as_error_of_another_kind() -> None:
    try:
        signal.default_int_handler(2, None)
    except KeyboardInterrupt:
        raise ImportError("cannot initialise") from None


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (UsageError("no scenario is called 'x'"), 2, "wavetank: no scenario is called 'x'"),
        (Different("another course"), 4, "wavetank: another course"),
        (Infrastructure("disk full"), 75, "wavetank: disk full"),
        (CapReached("5 events"), 3, "unknown, the run could not be finished: 5 events"),
        (Stalled("no event for 20 s"), 3, "unknown, the run could not be finished: no event"),
        (SimulationEscape("p#1 called os.fork"), 3, "could not be finished: p#1 called os.fork"),
        (KeyboardInterrupt(), 130, "wavetank: interrupted"),
        (_as_error_of_another_kind, 130, "wavetank: interrupted"),
        (ValueError("odd"), 75, "a defect of Wavetank itself: ValueError: odd (/"),
    ],
)
def test_an_error_is_one_line_and_its_code(error: object, code: int, says: str) -> None:
    def command() -> None:
        if isinstance(error, BaseException):
            raise error
        assert callable(error)
        error()

    group = _Group(commands={"x": click.Command("x", callback=command)})

    done = CliRunner().invoke(group, ["x"])

    assert done.exit_code == code
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_command_leaves_nothing_where_it_is_called(tmp_path: Path) -> None:
    done = wavetank("run", "nine_deposits", "--no-report", directory=tmp_path)

    assert done.returncode == 0, done.stderr
    assert list(tmp_path.iterdir()) == []
