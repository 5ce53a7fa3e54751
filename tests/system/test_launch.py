"""Programs end with the documented code, one line of JSON, and no traceback."""

import json
import logging
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from system import __main__, config, exits, launch
from system.config import Section
from system.errors import ConfigError, Halt, Locked, LogError, Unreachable
from system.ubscore.settings import Settings


@pytest.fixture(autouse=True)
def _root_logger_as_before() -> Generator[None]:
    before = logging.getLogger().handlers[:]
    yield
    logging.getLogger().handlers[:] = before


class Empty(Section, frozen=True):
    """A configuration without keys."""


class Ends:
    """A program that ends with what it is told."""

    name: ClassVar[str] = "ends"
    Config: ClassVar[type[msgspec.Struct]] = Empty
    error: ClassVar[Exception | None] = None

    def __init__(self, config: Empty) -> None:
        pass

    def stop(self) -> None:
        pass

    def run(self) -> int:
        if self.error is not None:
            raise self.error
        return exits.OK


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (None, 0),
        (ValueError("a defect"), 1),
        (ConfigError("x"), 2),
        (Unreachable("x"), 69),
        (Halt("why", "x"), 70),
        (LogError("x"), 74),
        (Locked("x"), 75),
    ],
)
def test_an_error_becomes_its_exit_code(
    error: Exception | None, code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "c.toml").write_text("")
    program = type("Program", (Ends,), {"error": error})
    assert launch.main(program, str(tmp_path / "c.toml")) == code
    first, last = map(json.loads, capsys.readouterr().err.splitlines())
    assert (first["event"], first["config"]) == ("starting", str(tmp_path / "c.toml"))
    assert last["exit_code"] == code
    assert last["program"] == "ends"


NO_DATABASE = '[scylla]\ncontact_points = ["127.0.0.1"]\nport = 1\n'
KEY = f'[[keys]]\nsha256 = "{"0" * 64}"\noperator = true\n'


@pytest.mark.parametrize(
    ("program", "more", "names"),
    [
        ("ubscore", '[ubscore]\ndata = "data"\n', "Kafka at 127.0.0.1:1"),
        ("init", '[ubscore]\ndata = "data"\n', "Kafka at 127.0.0.1:1"),
        ("init", '[engine]\ndata = "data"\n', "Kafka at 127.0.0.1:1"),
        ("setup", NO_DATABASE, "Kafka at 127.0.0.1:1"),
        ("gateway", NO_DATABASE + KEY, "no database node answers at 127.0.0.1:1"),
        ("settlement", NO_DATABASE, "no database node answers at 127.0.0.1:1"),
    ],
)
def test_without_a_server_it_says_which_and_ends_with_69(
    program: str, more: str, names: str, tmp_path: Path
) -> None:
    config = tmp_path / "c.toml"
    config.write_text(f'[kafka]\nbootstrap = "127.0.0.1:1"\n{more}')

    ended = subprocess.run(
        [sys.executable, "-m", "system", program, "--config", str(config)],
        env={
            **os.environ,
            "PYTHONPATH": str(Path(__file__).parents[2]),
            "WAVETANK_KAFKA_CONNECT_TIMEOUT_MS": "500",
        },
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
        timeout=60,
    )

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    assert ended.returncode == exits.UNREACHABLE
    assert lines[-1]["exit_code"] == exits.UNREACHABLE
    assert names in lines[-1]["detail"]


@pytest.mark.parametrize("text", ["", "0/2", "3/2", "1", "a/b", "1/2/3", "01/2", "\u0661/2"])
def test_a_shard_that_is_none_is_a_usage_error(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        __main__.main(["ubscore", "--config", "none.toml", "--shard", text])

    assert ended.value.code == 2
    assert "is not a shard like 2/4" in capsys.readouterr().err


def test_only_shards_take_a_shard(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        __main__.main(["gateway", "--config", "none.toml", "--shard", "1/2"])

    assert ended.value.code == 2
    assert "gateway has none" in capsys.readouterr().err


def test_each_shard_has_a_directory_of_its_own() -> None:
    text = '[ubscore]\ndata = "/data/{shard}"\n[kafka]\nbootstrap = "k:1"\n'

    loaded = config.parse(Settings, text, "f", __main__.shard("2/4"))

    assert loaded.ubscore.directory == "/data/2"
    assert loaded.owned == (1,)
