"""The ledger's tables as evidence: merged from all replicas, as a read of all of them would."""

from typing import TYPE_CHECKING

from reports.evidence import AccountRow, OrderRow, OutputRow, RequestRow, Row

if TYPE_CHECKING:
    from scenarios.stages.town import Town

ROW = (
    "user_id",
    "asset_id",
    "seq",
    "delta_avail",
    "delta_frozen",
    "avail",
    "frozen",
    "event_type",
    "ref_id",
    "created_at",
)


def rows(town: "Town") -> tuple[Row, ...]:
    """Return the ledger, by account and seq."""
    found = [
        Row(
            **{name: row.values[name] for name in ROW},
            durable_ns=row.durable_ns,
            overwrites=row.overwrites,
        )
        for row in town.scylla.rows("wavetank.balance_ledger")
    ]
    return tuple(sorted(found, key=lambda row: (row.user_id, row.asset_id, row.seq)))


def requests(town: "Town") -> tuple[RequestRow, ...]:
    """Return what is said of each request key."""
    found = []
    for row in town.scylla.rows("wavetank.requests"):
        values = row.values
        found.append(
            RequestRow(
                user_id=values["user_id"],
                request_id=values["request_id"],
                body_hash=values["body_hash"],
                decision=values["decision"],
                reason=values["reason"],
                effects=values["effects"],
                outcome=values["outcome"],
                expired=values["expired"],
                durable_ns=row.durable.get("decision"),
                outcome_ns=row.durable.get("outcome"),
                expired_ns=row.durable.get("expired"),
            )
        )
    return tuple(sorted(found, key=lambda row: (row.user_id, row.request_id, row.body_hash)))


def accounts(town: "Town") -> tuple[AccountRow, ...]:
    """Return which user has rows of which asset."""
    found = [
        AccountRow(user_id=row.values["user_id"], asset_id=row.values["asset_id"])
        for row in town.scylla.rows("wavetank.users_assets")
    ]
    return tuple(sorted(found, key=lambda row: (row.user_id, row.asset_id)))


def outputs(town: "Town") -> tuple[OutputRow, ...]:
    """Return the settled log of the engine's outputs."""
    found = [
        OutputRow(
            symbol_id=row.values["symbol_id"],
            output_seq=row.values["output_seq"],
            hash=row.values["hash"],
            durable_ns=row.durable_ns,
        )
        for row in town.scylla.rows("wavetank.engine_output_log")
    ]
    return tuple(sorted(found, key=lambda row: (row.symbol_id, row.output_seq)))


ORDER = (
    *("user_id", "order_id", "symbol_id", "status", "filled", "remaining"),
    *("paid", "unlocked", "output_seq"),
)


def orders(town: "Town") -> tuple[OrderRow, ...]:
    """Return each order as its last output left it."""
    found = [
        OrderRow(**{name: row.values[name] for name in ORDER})
        for row in town.scylla.rows("wavetank.orders_by_user")
    ]
    return tuple(sorted(found, key=lambda row: (row.user_id, row.order_id)))
