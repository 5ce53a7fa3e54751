"""`init` of the engine makes a directory once, and only where the input begins at its beginning."""

from pathlib import Path
from typing import Any

import pytest

from system import exits, making
from system.directory import DataDirectory
from system.engine import init
from system.engine.cluster import Instance
from system.errors import ConfigError, Halt
from system.records import ORDERS, OUTPUTS
from tests.system.engine.desk import IDENTITY, settings
from tests.system.small_kafka import Broker, Reader


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    found = Broker()
    monkeypatch.setattr(init, "survey", lambda _: IDENTITY)
    monkeypatch.setattr(making, "Consumer", lambda _: Reader(found))
    return found


def make(directory: Path, **own: Any) -> int:
    return init.Init(settings(directory, **own)).run()


def test_the_directory_says_whose_it_is_and_is_made_only_once(
    tmp_path: Path, broker: Broker
) -> None:
    data = tmp_path / "new"

    assert make(data) == exits.OK
    assert DataDirectory(str(data), Instance).owner() == IDENTITY
    with pytest.raises(ConfigError, match="a data directory is made only once"):
        make(data)


def test_waiting_input_and_outputs_of_a_lost_directory_are_fine(
    tmp_path: Path, broker: Broker
) -> None:
    broker.append(ORDERS, 1, b"1", b"waiting")
    broker.append(OUTPUTS, 1, b"1", b"of an earlier directory")

    assert make(tmp_path / "new") == exits.OK


def test_input_whose_beginning_is_gone_halts_and_leaves_no_seal(
    tmp_path: Path, broker: Broker
) -> None:
    broker.starts[ORDERS, 1] = 5

    with pytest.raises(Halt, match="input_past"):
        make(tmp_path / "new")
    assert DataDirectory(str(tmp_path / "new"), Instance).identity() is None


def test_an_instance_asks_only_for_the_partitions_it_owns(tmp_path: Path, broker: Broker) -> None:
    broker.starts[ORDERS, 1] = 5

    assert make(tmp_path / "new", instance=1, instances=2) == exits.OK
    assert settings(tmp_path, instance=2, instances=2).owned == (1, 3)


@pytest.mark.parametrize("own", [{"instance": 2}, {"instance": 5, "instances": 5}])
def test_an_instance_that_cannot_own_anything_is_refused(
    tmp_path: Path, own: dict[str, int]
) -> None:
    with pytest.raises(ValueError, match="inst"):
        settings(tmp_path, **own)
