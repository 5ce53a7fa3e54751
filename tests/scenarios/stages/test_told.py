"""What programs were told: the horizon and the fees that a deployment's configuration gives."""

from scenarios import catalog
from scenarios.deployment import Deployment
from scenarios.stages.told import promises


def test_what_is_not_configured_is_the_default() -> None:
    short = promises(catalog.find("retention_horizon").deployment)
    dear = promises(Deployment(settings=(("ubscore", "taker_ppm = 2000"),)))

    assert short == {"horizon_ms": 3_000, "fees_ppm": (1000, 1500)}
    assert dear == {"horizon_ms": 86_400_000, "fees_ppm": (1000, 2000)}
