"""A reconciliation as metrics, for the textfile collector of Prometheus' node exporter."""

from collections import Counter
from typing import get_args

from prometheus_client import generate_latest

from reports.amounts import asset_name
from reports.breaks import Verdict
from reports.live.outcome import Outcome
from system.instruments import Instruments


class Measures(Instruments):
    """What an alert asks of a reconciliation that runs now and then."""

    def __init__(self, outcome: Outcome | None = None) -> None:
        super().__init__()
        self._verdict = self.gauge(
            "reconcile_verdict", "1 for the verdict of the last reconciliation.", "verdict"
        )
        self._breaks = self.gauge("reconcile_breaks", "Breaks found, by code.", "code")
        self._conservation = self.gauge(
            "reconcile_conservation_difference",
            "Raw units that the ledger holds beyond what came in and went out: 0.",
            "asset",
        )
        self._flight = self.gauge(
            "reconcile_on_its_way_effects", "Effects decided whose next step is not due yet.", "hop"
        )
        self._at = self.gauge(
            "reconcile_timestamp_seconds", "As of when the deployment was reconciled last."
        )
        if outcome is not None:
            self._take(outcome)

    def _take(self, outcome: Outcome) -> None:
        for verdict in get_args(Verdict):
            self._verdict.labels(verdict).set(verdict == outcome.verdict)
        for code, count in Counter(b.code for b in outcome.breaks).items():
            self._breaks.labels(code).set(count)
        for balance in outcome.balances:
            difference = balance.held - balance.owed
            self._conservation.labels(asset_name(balance.asset_id)).set(difference)
        for step, flight in zip(outcome.steps, outcome.flights, strict=True):
            self._flight.labels(f"{step.before} -> {step.after}").set(flight.count)
        self._at.set(outcome.cut.at_ms / 1000)

    def text(self) -> bytes:
        """Return the metrics in Prometheus' format."""
        return generate_latest(self.registry)
