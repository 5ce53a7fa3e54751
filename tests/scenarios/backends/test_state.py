"""The folder of a back end: one owner, and no trace of one who put nothing into it."""

from pathlib import Path

import pytest

from scenarios.backends import state
from scenarios.errors import Infrastructure


def test_a_folder_that_was_made_for_nothing_is_gone_afterwards(tmp_path: Path) -> None:
    with state.owning(tmp_path / "made"):
        assert state.owned(tmp_path / "made")

    assert not (tmp_path / "made").exists()


def test_a_folder_that_was_there_stays_and_so_does_what_is_in_it(tmp_path: Path) -> None:
    with state.owning(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []

    with state.owning(tmp_path):
        (tmp_path / "data").touch()
    assert {file.name for file in tmp_path.iterdir()} == {"data", state.LOCK}


def test_whoever_is_refused_takes_nothing_from_the_owner(tmp_path: Path) -> None:
    with state.owning(tmp_path / "made"):
        with pytest.raises(Infrastructure, match="up already"), state.owning(tmp_path / "made"):
            raise AssertionError
        assert state.owned(tmp_path / "made")
