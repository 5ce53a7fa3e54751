"""The catalogue: every metric that a program of ours tells, as the program itself describes it."""

from reports.live.measures import Measures
from system.engine.metrics import Metrics as Engine
from system.gateway.metrics import Metrics as Gateway
from system.instruments import Described, Instruments
from system.metrics_file import Stopped
from system.settlement.metrics import Metrics as Settlement
from system.ubscore.metrics import Metrics as UBSCore

# where the metrics come from -> what makes them
SOURCES: dict[str, type[Instruments]] = {
    "Gateway": Gateway,
    "UBSCore": UBSCore,
    "Matching engine": Engine,
    "Settlement": Settlement,
    "A program that stopped": Stopped,
    "`wavetank reconcile`": Measures,
}


def described() -> dict[str, list[Described]]:
    """Return what each source tells, in the order in which it says so."""
    return {source: make().described for source, make in SOURCES.items()}


def series() -> dict[str, frozenset[str]]:
    """Return every name that can be asked for, with its labels.

    A histogram is asked by its buckets, its sum and its count.
    """
    found: dict[str, frozenset[str]] = {}
    for of_source in described().values():
        for one in of_source:
            labels = frozenset(one.labels)
            if one.kind == "histogram":
                found[f"{one.name}_bucket"] = labels | {"le"}
                found[f"{one.name}_sum"] = found[f"{one.name}_count"] = labels
            else:
                found[one.name] = labels
    return found
