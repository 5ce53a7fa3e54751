"""What the dashboard shows: rows of panels, Kafka's lag first."""

from reports.observability.asking import RATE, Panel, Query, Row, one, quantiles, rates, sizes

_PLACE = "{{group}} {{topic}}[{{partition}}]"
_LAG = "sum by (group, topic, partition) (kafka_consumer_lag_records)"

LAG = Row(
    "Kafka consumer lag",
    (
        Panel(
            title="Lag by group, topic and partition",
            queries=one(_LAG, _PLACE),
            meaning="Records that a group has not taken in yet, as its consumer sees them.",
            width=16,
            height=10,
        ),
        Panel(
            title="Lag now",
            queries=(Query(_LAG, _PLACE, instant=True),),
            kind="table",
            height=10,
        ),
        Panel(
            title="Growth of the lag",
            queries=one(
                "sum by (group, topic) (deriv(kafka_consumer_lag_records[5m]))",
                "{{group}} {{topic}}",
            ),
            unit="cps",
            meaning="Records a second, over five minutes; above 0 a group falls behind.",
            width=16,
        ),
        Panel(
            title="Programs that answer",
            queries=one("sum by (job) (up)", "{{job}}"),
            meaning="A program that is down tells no lag.",
        ),
    ),
)

MONEY = Row(
    "Money and promises",
    (
        Panel(
            title="Units too many in UBSCore",
            queries=one("sum by (asset) (ubscore_conservation_difference)", "{{asset}}"),
            meaning="On all accounts, beyond deposits less withdrawals: 0.",
        ),
        Panel(
            title="Units too many in the ledger",
            queries=one("sum by (asset) (reconcile_conservation_difference)", "{{asset}}"),
            meaning="As the last reconciliation saw it: 0.",
        ),
        Panel(
            title="Breaks of the last reconciliation",
            queries=(
                Query("sum by (code) (reconcile_breaks)", "{{code}}"),
                Query("sum by (verdict) (reconcile_verdict)", "{{verdict}}"),
            ),
        ),
        Panel(
            title="Programs that stopped on their own",
            queries=one("sum by (program, reason) (program_stopped)", "{{program}} {{reason}}"),
        ),
        Panel(
            title="Missing records",
            queries=(
                Query("sum(ubscore_open_holes)", "engine outputs, in UBSCore"),
                Query("sum(engine_open_holes)", "orders, in the engine"),
                Query(
                    "sum by (topic, partition) (settlement_open_holes)", "{{topic}}[{{partition}}]"
                ),
            ),
        ),
        Panel(
            title="On its way, and age of the last reconciliation",
            queries=(
                Query("sum by (hop) (reconcile_on_its_way_effects)", "{{hop}}"),
                Query("time() - max(reconcile_timestamp_seconds)", "age in seconds"),
            ),
        ),
    ),
)

REQUESTS = Row(
    "Requests",
    (
        Panel(
            title="Requests",
            queries=rates("gateway_requests_total", "method", "route", "status"),
            unit="reqps",
        ),
        Panel(
            title="Rejections by reason",
            queries=(
                *rates("gateway_rejections_total", "reason"),
                *rates("ubscore_rejections_total", "reason"),
            ),
            unit="reqps",
        ),
        Panel(
            title="Time to the answer",
            queries=quantiles("gateway_request_seconds", "route"),
            unit="s",
        ),
        Panel(
            title="From acceptance to the settled row",
            queries=quantiles("settlement_end_to_end_seconds", "topic"),
            unit="s",
        ),
        Panel(
            title="From Kafka to a durable decision",
            queries=quantiles("ubscore_decision_seconds"),
            unit="s",
        ),
        Panel(
            title="Commands and questions under way, and Kafka's acknowledgement",
            queries=(
                Query("sum(gateway_commands_in_flight)", "commands"),
                Query("sum(gateway_questions_in_flight)", "questions"),
                *quantiles("gateway_publish_seconds"),
            ),
        ),
    ),
)

CORE = Row(
    "UBSCore",
    (
        Panel(title="Decisions", queries=rates("ubscore_commands_total", "decision"), unit="cps"),
        Panel(
            title="Ledger rows made",
            queries=(
                *rates("ubscore_ledger_rows_total", "event_type"),
                Query(f"sum(rate(ubscore_engine_outputs_total[{RATE}]))", "engine outputs"),
            ),
            unit="cps",
        ),
        Panel(
            title="Outbox",
            queries=one("sum by (instance) (ubscore_outbox_records)", "{{instance}}"),
        ),
        Panel(title="Log: append", queries=quantiles("ubscore_log_append_seconds"), unit="s"),
        Panel(title="Log: sync", queries=quantiles("ubscore_log_sync_seconds"), unit="s"),
        Panel(title="Frames a sync", queries=sizes("ubscore_batch_frames")),
        Panel(
            title="Frames of the log",
            queries=(
                Query(
                    f"sum by (instance) (deriv(ubscore_log_lsn[{RATE}]))", "a second {{instance}}"
                ),
                Query("sum(ubscore_orders)", "orders remembered"),
                Query("max by (instance) (ubscore_epoch)", "openings {{instance}}"),
            ),
        ),
        Panel(
            title="Snapshots",
            queries=(
                *quantiles("ubscore_snapshot_seconds"),
                Query(
                    "time() - max by (instance) (ubscore_snapshot_timestamp_seconds)",
                    "age {{instance}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            title="Recovery at the last start",
            queries=(
                Query("max by (instance) (ubscore_recovery_seconds)", "seconds {{instance}}"),
                Query("max by (instance) (ubscore_recovery_frames)", "frames {{instance}}"),
                Query(
                    "max by (instance) (ubscore_snapshot_bytes)",
                    "bytes of the snapshot {{instance}}",
                ),
            ),
        ),
    ),
)

ENGINE = Row(
    "Matching engine",
    (
        Panel(
            title="Book depth: prices",
            queries=one("max by (symbol, side) (engine_book_levels)", "{{symbol}} {{side}}"),
        ),
        Panel(
            title="Book depth: orders",
            queries=one("max by (symbol) (engine_book_orders)", "{{symbol}}"),
        ),
        Panel(
            title="Trades and outputs",
            queries=(
                *rates("engine_trades_total", "symbol"),
                *rates("engine_outputs_total", "outcome"),
            ),
            unit="cps",
        ),
        Panel(
            title="Outbox and dropped records",
            queries=(
                Query("sum by (instance) (engine_outbox_records)", "outbox {{instance}}"),
                *rates("engine_dropped_total", "verdict"),
            ),
        ),
        Panel(
            title="Chain: number of the last output",
            queries=one("max by (symbol) (engine_output_seq)", "{{symbol}}"),
        ),
        Panel(title="Records at a time", queries=sizes("engine_batch_records")),
        Panel(
            title="Snapshots",
            queries=(
                *quantiles("engine_snapshot_seconds"),
                Query(
                    "time() - max by (instance) (engine_snapshot_timestamp_seconds)",
                    "age {{instance}}",
                ),
            ),
            unit="s",
        ),
        Panel(
            title="Recovery at the last start",
            queries=(
                Query("max by (instance) (engine_recovery_seconds)", "seconds {{instance}}"),
                Query("max by (instance) (engine_recovery_records)", "records {{instance}}"),
                Query(
                    "max by (instance) (engine_snapshot_bytes)",
                    "bytes of the snapshot {{instance}}",
                ),
            ),
        ),
    ),
)

SETTLEMENT = Row(
    "Settlement",
    (
        Panel(
            title="Records",
            queries=rates("settlement_records_total", "topic", "verdict"),
            unit="cps",
        ),
        Panel(title="Statements", queries=quantiles("settlement_statement_seconds"), unit="s"),
        Panel(
            title="Statements sent again, assignments",
            queries=(
                Query(f"sum(rate(settlement_statements_repeated_total[{RATE}]))", "sent again"),
                Query(f"sum(rate(settlement_assignments_total[{RATE}]))", "assignments"),
            ),
            unit="cps",
        ),
        Panel(title="Records a commit", queries=sizes("settlement_batch_records")),
    ),
)

ROWS = (LAG, MONEY, REQUESTS, CORE, ENGINE, SETTLEMENT)
