"""The reason of a stop is left for a textfile collector, and taken back at the next start."""

import json
import logging
from collections.abc import Generator
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from system import exits, launch
from system.config import Section
from system.errors import Halt
from system.metrics_http import Listen


class Settings(Section, frozen=True):
    metrics: Listen = Listen()


class Halts:
    name: ClassVar[str] = "halts"
    Config: ClassVar[type[msgspec.Struct]] = Settings
    reason: ClassVar[str] = "chain_broken"

    def __init__(self, settings: Settings) -> None:
        pass

    def stop(self) -> None:
        pass

    def run(self) -> int:
        if self.reason:
            raise Halt(self.reason, "output 7 does not follow")
        return exits.OK


class Serves(Halts):
    reason = ""


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Generator[None]:
    before = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = before


def config(directory: Path, textfile: Path) -> str:
    path = directory / "c.toml"
    path.write_text(f'[metrics]\ntextfile = "{textfile}"\n')
    return str(path)


def test_a_halt_leaves_its_reason_until_the_next_start(tmp_path: Path) -> None:
    told = tmp_path / "halts.prom"
    path = config(tmp_path, told)

    assert launch.main(Halts, path) == exits.HALT
    left = told.read_text()
    assert launch.main(Serves, path) == exits.OK

    assert 'program_stopped{program="halts",reason="chain_broken"} 1.0' in left
    assert not told.exists()
    assert [one.name for one in tmp_path.iterdir()] == ["c.toml"]


def test_a_place_that_cannot_be_written_is_refused_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = config(tmp_path, tmp_path / "none" / "halts.prom")

    assert launch.main(Halts, path) == exits.CONFIGURATION

    line = json.loads(capsys.readouterr().err.splitlines()[-1])
    assert "metrics.textfile" in line["detail"]
    assert "name a file in a directory" in line["detail"]


def test_a_file_that_fails_later_changes_nothing_about_the_stop(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = tmp_path / "gone"
    directory.mkdir()

    class Removes(Halts):
        def run(self) -> int:
            directory.rmdir()
            return super().run()

    assert launch.main(Removes, config(tmp_path, directory / "halts.prom")) == exits.HALT
    events = [json.loads(line)["event"] for line in capsys.readouterr().err.splitlines()]
    assert events == ["starting", "stopped", "textfile"]
