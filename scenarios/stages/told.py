"""What programs were told in their configuration, as far as it is a promise to judge them by."""

import tomllib

import msgspec

from scenarios.deployment import DATA, Deployment


def horizon_ms(deployment: Deployment) -> int:
    """Return how long UBSCore has to remember request keys."""
    from system.ubscore.settings import Core  # noqa: PLC0415 - the doors come first

    section = tomllib.loads(deployment.section(deployment.core, DATA))
    return msgspec.convert(section["ubscore"], Core).horizon_ms
