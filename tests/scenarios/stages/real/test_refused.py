"""What the real stage cannot judge is refused before any server starts."""

import pytest

from scenarios import catalog
from scenarios.errors import UsageError
from scenarios.stages.real import stage


def test_a_scenario_with_an_engine_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="trading has a matching engine"):
        stage.check(catalog.find("trading"))


def test_a_scenario_without_one_is_played() -> None:
    stage.check(catalog.find("chaos_deposits"))
