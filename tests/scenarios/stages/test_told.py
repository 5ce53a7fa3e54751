"""What programs were told: the horizon that a deployment's configuration gives."""

from scenarios import catalog
from scenarios.deployment import Deployment
from scenarios.stages.told import horizon_ms


def test_the_horizon_is_the_configured_one_or_else_a_day() -> None:
    assert horizon_ms(catalog.find("retention_horizon").deployment) == 3_000
    assert horizon_ms(Deployment()) == 86_400_000
