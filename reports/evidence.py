"""Evidence: everything a run left behind that can be judged without asking a program's memory.

A stage (a simulated world or a live deployment) collects these records; reconciliation, the
checkers of the invariants and the pages read nothing else. Times are integer nanoseconds since
the start of the world, amounts raw integers, bytes are kept as they were found.
"""

from typing import Literal

from reports.happenings import (
    Damage,
    FaultReceipt,
    LogLine,
    OwedHalt,
    ProcessEvent,
    ProcessEventKind,
    Record,
)

Outcome = Literal["ok", "fail", "info"]
OperationKind = Literal["transfer_in", "transfer_out", "place_order", "cancel", "read"]
AnswerStatus = Literal["pending", "done", "rejected", "not_seen"]
Stage = Literal["simulated", "real"]


class Attempt(Record, frozen=True, kw_only=True):
    """One HTTP request of an operation; status 0 means that no answer came.

    `retry_after_s` is when the client was told to come back, if it was.
    """

    invoked_ns: int
    returned_ns: int | None = None
    status: int = 0
    reason: str = ""
    retry_after_s: int | None = None


class Operation(Record, frozen=True, kw_only=True):
    """What a client wanted once, and every attempt it made with the same key.

    An order's amount is what it may lock, of `asset_id`; a cancel has none.

    ``ok``: acknowledged (202 or, for a read, 200). ``fail``: refused, and nothing may have
    happened. ``info``: nobody knows. ``body_hash`` is empty for reads.
    """

    client: str
    kind: OperationKind
    user_id: int
    asset_id: int = 0
    amount: int = 0
    request_id: str = ""
    body_hash: str = ""
    order_id: str = ""
    attempts: tuple[Attempt, ...] = ()
    outcome: Outcome

    @property
    def invoked_ns(self) -> int:
        """When the first attempt began."""
        return self.attempts[0].invoked_ns if self.attempts else 0

    @property
    def acknowledged_ns(self) -> int | None:
        """When the first 2xx answer arrived, if one did."""
        for attempt in self.attempts:
            if 200 <= attempt.status < 300 and attempt.returned_ns is not None:
                return attempt.returned_ns
        return None

    @property
    def status(self) -> int:
        """The status code of the last attempt."""
        return self.attempts[-1].status if self.attempts else 0

    @property
    def reason(self) -> str:
        """The reason code of the last attempt."""
        return self.attempts[-1].reason if self.attempts else ""


class Answer(Record, frozen=True, kw_only=True):
    """What ``GET /requests/{request_id}`` told a client; status 404 is ``not_seen``."""

    client: str
    user_id: int
    request_id: str
    invoked_ns: int
    returned_ns: int
    status: AnswerStatus
    reason: str = ""
    body_hash: str = ""


class ClientRead(Record, frozen=True, kw_only=True):
    """A balance a client saw; ``seq`` is None where the answer does not show it.

    An account without rows is seen as ``seq=0, avail=0, frozen=0``. ``quiescent`` marks reads
    made after the last operation had ended and every program was healthy again.
    """

    client: str
    user_id: int
    asset_id: int
    invoked_ns: int
    returned_ns: int
    avail: int
    frozen: int
    seq: int | None = None
    quiescent: bool = False


class TopicRecord(Record, frozen=True, kw_only=True):
    """A record as it lies in a partition, with the broker's stamps."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...] = ()
    timestamp_ms: int
    leader_epoch: int = -1


class LogImage(Record, frozen=True, kw_only=True):
    """The files of one UBSCore data directory as a power loss at ``taken_ns`` would leave them."""

    shard: int
    taken_ns: int
    files: dict[str, bytes]


class Dump(Record, frozen=True, kw_only=True):
    """The balances UBSCore wrote on SIGUSR1 (its JSON, byte for byte), and when."""

    shard: int
    process: str
    incarnation: int
    taken_ns: int
    body: bytes


class Restart(Record, frozen=True, kw_only=True):
    """A recovery that was observed: the log it found, and the state it came up with.

    ``log`` is the directory before the program started. ``dumps`` are taken before new input is
    applied: one per recovery from that same log, so two of them show whether twice equals once.
    """

    shard: int
    process: str
    incarnation: int
    started_ns: int
    log: dict[str, bytes]
    dumps: tuple[bytes, ...]


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


class Commit(Record, frozen=True, kw_only=True):
    """An offset a consumer group committed; the evidence holds them all, in order of time."""

    group: str
    topic: str
    partition: int
    offset: int
    metadata: str
    at_ns: int


class Sample(Record, frozen=True, kw_only=True):
    """A value of a program's metrics where it changed, as a scrape saw it.

    ``up`` is 1 from the first scrape of an incarnation on, and 0 at the first one without it.
    """

    process: str
    incarnation: int
    at_ns: int
    name: str
    labels: dict[str, str]
    value: float


class About(Record, frozen=True, kw_only=True):
    """What was run: enough to say it in a headline and to run it again.

    ``epoch_ns`` is the true wall-clock time at the start of the world: broker stamps minus it are
    times of the world (give or take a broker's clock skew).
    ``quiescent_ns`` is when the harness saw everything settled (None: never within the bound).
    ``bound_ns`` is what a request in Kafka may take after ``healed_ns``, the end of all faults.
    ``horizon_ms`` is how long request keys have to be remembered (0: nobody said),
    ``fees_ppm`` what makers and takers have to pay (None: nobody said).
    ``servers`` says which back end served a real run; ``unobserved`` what its stage cannot see.
    """

    scenario: str
    seed: int
    token: str
    stage: Stage
    versions: dict[str, str]
    servers: str = ""
    unobserved: tuple[str, ...] = ()
    command: str = ""
    story: str = ""
    digest: str = ""
    shards: int = 1
    partitions: int = 4
    epoch_ns: int = 0
    events: int = 0
    real_ns: int | None = None
    healed_ns: int = 0
    quiescent_ns: int | None = None
    ended_ns: int = 0
    bound_ns: int = 30_000_000_000
    horizon_ms: int = 0
    fees_ppm: tuple[int, int] | None = None


class Evidence(Record, frozen=True, kw_only=True):
    """All of it. ``unreadable`` names sources that could not be read to their end, and why."""

    about: About
    operations: tuple[Operation, ...] = ()
    answers: tuple[Answer, ...] = ()
    reads: tuple[ClientRead, ...] = ()
    records: tuple[TopicRecord, ...] = ()
    logs: tuple[LogImage, ...] = ()
    dumps: tuple[Dump, ...] = ()
    restarts: tuple[Restart, ...] = ()
    rows: tuple[Row, ...] = ()
    requests: tuple[RequestRow, ...] = ()
    accounts: tuple[AccountRow, ...] = ()
    outputs: tuple[OutputRow, ...] = ()
    orders: tuple[OrderRow, ...] = ()
    trades: tuple[TradeRow, ...] = ()
    sides: tuple[SideRow, ...] = ()
    commits: tuple[Commit, ...] = ()
    processes: tuple[ProcessEvent, ...] = ()
    faults: tuple[FaultReceipt, ...] = ()
    owed: tuple[OwedHalt, ...] = ()
    lines: tuple[LogLine, ...] = ()
    samples: tuple[Sample, ...] = ()
    unreadable: tuple[str, ...] = ()


__all__ = [
    "About",
    "AccountRow",
    "Answer",
    "AnswerStatus",
    "Attempt",
    "ClientRead",
    "Commit",
    "Damage",
    "Dump",
    "Evidence",
    "FaultReceipt",
    "LogImage",
    "LogLine",
    "Operation",
    "OperationKind",
    "OrderRow",
    "Outcome",
    "OutputRow",
    "OwedHalt",
    "ProcessEvent",
    "ProcessEventKind",
    "Record",
    "RequestRow",
    "Restart",
    "Row",
    "Sample",
    "SideRow",
    "Stage",
    "TopicRecord",
    "TradeRow",
]
