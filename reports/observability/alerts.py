"""Alert rules for Prometheus: what wakes somebody, and what it means."""

from dataclasses import dataclass
from typing import Any

import yaml

_HEAD = "# Made by `make observability`; the source is reports/observability/alerts.py.\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A rule. `severity` is page for what loses money or service, ticket for what may come to it.

    `lasts` is how long the expression has to hold.
    """

    name: str
    expression: str
    summary: str
    meaning: str
    severity: str = "page"
    lasts: str = "0m"


ALERTS = (
    Alert(
        name="ConsumerLagGrowing",
        expression="sum by (group, topic, partition) (deriv(kafka_consumer_lag_records[5m])) > 0"
        " and sum by (group, topic, partition) (kafka_consumer_lag_records) > 1000",
        lasts="5m",
        summary="{{ $labels.group }} falls behind on {{ $labels.topic }}[{{ $labels.partition }}]",
        meaning="More comes in than is taken in. Requests are answered, but settled ever later.",
    ),
    Alert(
        name="LogStopped",
        expression="changes(ubscore_log_lsn[2m]) == 0 and on (instance)"
        ' sum by (instance) (kafka_consumer_lag_records{group="ubscore"}) > 0',
        lasts="2m",
        summary="the log of {{ $labels.instance }} has stopped",
        meaning="Commands wait in Kafka, and UBSCore makes nothing durable: look at its disk and at"
        " its outbox.",
    ),
    Alert(
        name="LogSyncSlow",
        expression="histogram_quantile(0.99, sum by (instance, le)"
        " (rate(ubscore_log_sync_seconds_bucket[5m]))) > 0.1",
        lasts="10m",
        severity="ticket",
        summary="one of a hundred syncs of {{ $labels.instance }} takes more than 100 ms",
        meaning="Every decision waits for a sync. The disk is slow, full, or about to fail.",
    ),
    Alert(
        name="HashChainBroken",
        expression='max_over_time(program_stopped{reason=~"chain_broken|fill_inconsistent'
        '|output_differs|record_missing"}[5m]) > 0',
        summary="{{ $labels.program }} halted: {{ $labels.reason }}",
        meaning="What the matching engine published does not continue its chain, or a record of it"
        " is missing. Do not restart anything before both logs were compared.",
    ),
    Alert(
        name="ProgramHalted",
        expression="max_over_time(program_stopped[5m]) > 0",
        summary="{{ $labels.program }} stopped on its own: {{ $labels.reason }}",
        meaning="Going on, or guessing, could lose money. The last line of its log says what is"
        " wrong and what to do.",
    ),
    Alert(
        name="ConservationOff",
        expression="sum by (asset) (ubscore_conservation_difference) != 0"
        " or sum by (asset) (reconcile_conservation_difference) != 0",
        summary="{{ $value }} raw units of {{ $labels.asset }} too many",
        meaning="All accounts together do not hold deposits less withdrawals. Stop the gateways"
        " and reconcile: `wavetank reconcile` names the effect that differs.",
    ),
    Alert(
        name="ReconciliationBroken",
        expression='reconcile_verdict{verdict="broken"} == 1',
        summary="the last reconciliation found breaks",
        meaning="Its report lists each, with what it means.",
    ),
    Alert(
        name="ReconciliationOverdue",
        expression="time() - max(reconcile_timestamp_seconds) > 7200",
        severity="ticket",
        summary="nobody has reconciled for two hours",
        meaning="The job that runs `wavetank reconcile --prom` fails, or no longer runs.",
    ),
    Alert(
        name="RecordsMissing",
        expression="sum by (topic, partition) (settlement_open_holes) > 0"
        " or sum by (instance) (ubscore_open_holes) > 0"
        " or sum by (instance) (engine_open_holes) > 0",
        lasts="1m",
        summary="a record that was announced does not come",
        meaning="The sender has to send it again. Whoever waits for it halts after ten minutes.",
    ),
    Alert(
        name="OutboxGrowing",
        expression="deriv(ubscore_outbox_records[5m]) > 0 and ubscore_outbox_records > 1000"
        " or deriv(engine_outbox_records[5m]) > 0 and engine_outbox_records > 1000",
        lasts="5m",
        summary="Kafka takes less from {{ $labels.instance }} than it decides",
        meaning="Decisions are durable but nobody sees them. At 20,000 input waits, too.",
    ),
    Alert(
        name="InstanceDown",
        expression='up{job=~"gateway|ubscore|engine|settlement"} == 0',
        lasts="1m",
        summary="{{ $labels.job }} at {{ $labels.instance }} does not answer",
        meaning="It is down, or hangs. What it has not done yet waits in Kafka; nothing is lost.",
    ),
    Alert(
        name="Restarting",
        expression="changes(ubscore_epoch[15m]) > 3",
        severity="ticket",
        summary="UBSCore at {{ $labels.instance }} was started more than three times",
        meaning="Somebody or something keeps killing it; `program_stopped` or the log says why.",
    ),
    Alert(
        name="ServerErrors",
        expression='sum by (route) (rate(gateway_requests_total{status=~"5.."}[5m]))'
        " / sum by (route) (rate(gateway_requests_total[5m])) > 0.01",
        lasts="5m",
        summary="more than one of a hundred answers of {{ $labels.route }} is a 5xx",
        meaning="Kafka or the database does not answer (503), or the gateway has a defect (500).",
    ),
    Alert(
        name="Overload",
        expression='sum(rate(gateway_requests_total{status="429"}[5m])) > 0',
        lasts="10m",
        severity="ticket",
        summary="requests are turned away",
        meaning="More commands are under way than a gateway takes; add gateways, or look at what is"
        " slow behind them.",
    ),
    Alert(
        name="SettlingSlow",
        expression="histogram_quantile(0.99, sum by (topic, le)"
        " (rate(settlement_end_to_end_seconds_bucket[5m]))) > 10",
        lasts="10m",
        severity="ticket",
        summary="rows of {{ $labels.topic }} come more than 10 s after acceptance",
        meaning="Clients see balances late. The database is slow, or Settlement is too small.",
    ),
)


def text() -> str:
    """Return the rule file."""
    rules = [_rule(alert) for alert in ALERTS]
    groups = {"groups": [{"name": "wavetank", "rules": rules}]}
    made: str = yaml.safe_dump(groups, sort_keys=False, width=96)
    return _HEAD + made


def _rule(alert: Alert) -> dict[str, Any]:
    return {
        "alert": alert.name,
        "expr": alert.expression,
        "for": alert.lasts,
        "labels": {"severity": alert.severity},
        "annotations": {"summary": alert.summary, "description": alert.meaning},
    }
