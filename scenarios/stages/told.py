"""What programs were told in their configuration, as far as it is a promise to judge them by."""

import tomllib
from typing import Any

import msgspec

from scenarios.deployment import DATA, Deployment


def promises(deployment: Deployment) -> dict[str, Any]:
    """Return how long UBSCore has to remember request keys, and which fees it has to take."""
    from system.ubscore.settings import Core  # noqa: PLC0415 - the doors come first

    section = tomllib.loads(deployment.section(deployment.core, DATA))
    core = msgspec.convert(section["ubscore"], Core)
    return {"horizon_ms": core.horizon_ms, "fees_ppm": (core.maker_ppm, core.taker_ppm)}
