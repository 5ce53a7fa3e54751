"""The catalog: one file, one story."""

import importlib
import pkgutil

from scenarios.errors import unknown
from scenarios.scenario import Scenario


def names() -> list[str]:
    """Return the names of all stories and controls."""
    from scenarios import controls  # noqa: PLC0415 - controls are built from the catalog

    stories = [module.name for module in pkgutil.iter_modules(__path__)]
    return stories + controls.names()


def find(name: str) -> Scenario:
    """Return the scenario called `name`; `UsageError` if there is none."""
    from scenarios import controls  # noqa: PLC0415 - controls are built from the catalog

    if name in {module.name for module in pkgutil.iter_modules(__path__)}:
        found = importlib.import_module(f"scenarios.catalog.{name}").scenario
        assert isinstance(found, Scenario)
        return found
    if name in controls.names():
        return controls.find(name)
    raise unknown("scenario", name, names(), "wavetank list shows them all")
