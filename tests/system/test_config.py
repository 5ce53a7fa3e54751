"""A wrong configuration is refused with key, value and remedy."""

from pathlib import Path

import pytest

from system import config
from system.errors import ConfigError
from system.ubscore.settings import Settings

GOOD = '[ubscore]\ndata = "/d"\n[kafka]\nbootstrap = "k:9092"\n'


def load(text: str, environ: dict[str, str] | None = None) -> Settings:
    return config.parse(Settings, text, "f.toml", environ or {})


def test_defaults_and_environment_fill_the_rest() -> None:
    environ = {
        "WAVETANK_UBSCORE_SHARD": "2",
        "WAVETANK_UBSCORE_SHARDS": "2",
        "WAVETANK_UBSCORE_DUMP_AT_START": "true",
        "WAVETANK_KAFKA_BOOTSTRAP": "other:1",
        "WAVETANK_GATEWAY_PORT": "another program's",
        "HOME": "/",
    }
    loaded = load(GOOD, environ)
    assert loaded.kafka.bootstrap == "other:1"
    assert loaded.owned == (1, 3)
    assert loaded.ubscore.dump_at_start
    assert load(GOOD).owned == (0, 1, 2, 3)


@pytest.mark.parametrize(
    ("text", "environ", "expected"),
    [
        ("x", {}, "f.toml is not TOML"),
        ("[kafka]\nbootstrap = 'k'", {}, "ubscore is missing"),
        (GOOD + "bootstap = 1", {}, r"unknown key kafka.bootstap; did you mean bootstrap\?"),
        (GOOD + "linger_ms = -1", {}, r"kafka.linger_ms = -1: Expected `int` >= 0"),
        (GOOD + "linger_ms = 'x'", {}, r"kafka.linger_ms = 'x'.*WAVETANK_KAFKA_LINGER_MS"),
        (GOOD + "linger_ms = 1.5", {}, r"kafka.linger_ms = 1.5"),
        (GOOD + "[topics]\nmin_insync = 9", {}, "min_insync must not exceed replication"),
        (GOOD + "[topics]\nretention_ms = 5", {}, "horizon_ms must be below"),
        (GOOD, {"WAVETANK_KAFKA_LINGER": "5"}, r"WAVETANK_KAFKA_LINGER overrides no key"),
        (GOOD, {"WAVETANK_KAFKA_LINGER_MS": "five"}, "WAVETANK_KAFKA_LINGER_MS = 'five'"),
        (GOOD, {"WAVETANK_UBSCORE_SHARD": "2"}, "shard must be one of 1"),
        (GOOD, {"WAVETANK_UBSCORE_BATCH": "0"}, ">= 1"),
        (GOOD, {"WAVETANK_UBSCORE_BATCH": "[1"}, "WAVETANK_UBSCORE_BATCH"),
    ],
)
def test_a_mistake_is_named(text: str, environ: dict[str, str], expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        load(text, environ)


def test_a_missing_or_unreadable_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        config.load(Settings, str(tmp_path / "none.toml"), {})
    (tmp_path / "latin.toml").write_bytes(b"\xff")
    with pytest.raises(ConfigError, match="not UTF-8"):
        config.load(Settings, str(tmp_path / "latin.toml"), {})
