"""Two answers to the same step, held against each other."""

import json
from typing import Any

from tests.conformance.cql.exceptions import reason
from tests.conformance.cql.steps import Step


def difference(case: str, step: Step, ours: Any, real: Any) -> str | None:
    """Return what is wrong with our answer to a step; None if nothing is.

    A listed difference must be one: else the list is out of date.
    """
    listed = reason(case, step.shown)
    if (ours != real) is (listed is not None):
        return None
    if listed is not None:
        return f"{case}: {step.shown} is as in Cassandra, but listed as different: {listed}"
    shown = f"{case}: {json.dumps(step.packed(), ensure_ascii=False)}"
    return f"{shown}\n  ours: {json.dumps(ours)}\n  real: {json.dumps(real)}"
