"""Controls: one planted bug each, and the invariants of which one must catch it.

A control is a scenario with one program replaced by a small subclass; its faults are drawn by the
scenario's own, unmodified plan generator. A harness that lets one of them pass is broken.
"""

import importlib
import pkgutil
from dataclasses import replace

from scenarios.scenario import Scenario


def names() -> list[str]:
    """Return the names of all controls."""
    names = [module.name for module in pkgutil.iter_modules(__path__)]
    return [name for name in names if not name.startswith("_")]


def find(name: str) -> Scenario:
    """Return the control called `name`; its programs are imported, so doors come first."""
    found = importlib.import_module(f"scenarios.controls.{name}").scenario
    assert isinstance(found, Scenario)
    return found


def planted(
    module: str, story: str, program: str, cls: str, expect: str, base: str = "chaos_deposits"
) -> Scenario:
    """Return a story of the catalog with `program` replaced by `cls` of `module`.

    `expect` names the invariants, separated by blanks.
    """
    scenario = importlib.import_module(f"scenarios.catalog.{base}").scenario
    assert isinstance(scenario, Scenario)
    return replace(
        scenario,
        name=module.rpartition(".")[2],
        story=story,
        programs=((program, f"{module}:{cls}"),),
        expect=tuple(expect.split()),
        sometimes=(),
    )
