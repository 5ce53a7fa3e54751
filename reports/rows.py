"""Rows: what the tables hold in the end, as they were read at QUORUM."""

from reports.happenings import Record


class Row(Record, frozen=True, kw_only=True):
    """A row of ``balance_ledger`` read at QUORUM in the end.

    ``durable_ns`` is when a quorum of replicas first held it with these columns (None: never
    observed). ``overwrites`` counts writes that changed a column of an existing row.
    """

    user_id: int
    asset_id: int
    seq: int
    delta_avail: int
    delta_frozen: int
    avail: int
    frozen: int
    event_type: str
    ref_id: str
    created_at: int
    durable_ns: int | None = None
    overwrites: int = 0


class RequestRow(Record, frozen=True, kw_only=True):
    """A row of ``requests`` read at QUORUM in the end.

    Several events write it, each its own columns. ``durable_ns`` is when a quorum of replicas first
    held the decision, ``outcome_ns`` and ``expired_ns`` the columns of these names (None: never
    observed).
    """

    user_id: int
    request_id: str
    body_hash: str
    decision: str | None
    reason: str | None = None
    effects: str | None = None
    outcome: str | None = None
    expired: bool | None = None
    durable_ns: int | None = None
    outcome_ns: int | None = None
    expired_ns: int | None = None


class AccountRow(Record, frozen=True, kw_only=True):
    """A row of ``users_assets`` read at QUORUM in the end."""

    user_id: int
    asset_id: int
    durable_ns: int | None = None


class OutputRow(Record, frozen=True, kw_only=True):
    """A row of ``engine_output_log`` read at QUORUM in the end."""

    symbol_id: int
    output_seq: int
    hash: str
    durable_ns: int | None = None


class OrderRow(Record, frozen=True, kw_only=True):
    """A row of ``orders_by_user`` read at QUORUM in the end; each output writes it anew.

    ``durable_ns`` is when a quorum of replicas first held it as it is (None: never observed).
    """

    user_id: int
    order_id: str
    symbol_id: int
    status: str
    filled: int
    remaining: int
    paid: int
    unlocked: int
    output_seq: int
    durable_ns: int | None = None


class TradeRow(Record, frozen=True, kw_only=True):
    """A row of ``trades_by_symbol`` read at QUORUM in the end."""

    symbol_id: int
    trade_number: int
    trade_id: str
    price: int
    quantity: int
    cost: int
    taker_side: str
    maker_order_id: str
    taker_order_id: str
    durable_ns: int | None = None


class SideRow(Record, frozen=True, kw_only=True):
    """A row of ``trades_by_user`` read at QUORUM in the end: a trade as one of the two sees it."""

    user_id: int
    symbol_id: int
    trade_number: int
    trade_id: str
    order_id: str
    side: str
    liquidity: str
    price: int
    quantity: int
    paid_asset_id: int
    paid: int
    received_asset_id: int
    received: int
    fee: int
    durable_ns: int | None = None
