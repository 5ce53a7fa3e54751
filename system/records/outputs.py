"""Engine outputs: what became of each order and cancel; one record per applied input.

Per symbol, `output_seq` counts 1, 2, 3 ... and the hashes chain: `hash` is the SHA-256 of the
record's bytes with an empty `hash`, and those bytes contain the hash before.
"""

import hashlib
from typing import Literal

import msgspec

from system.records.fields import (
    ORDERS_SINCE,
    Amount,
    Count,
    Hash,
    Id,
    Kind,
    Milliseconds,
    OrderId,
    OrderVersion,
    Record,
    RequestId,
    Rest,
    Side,
    TimeInForce,
)
from system.records.reading import Reader

OUTPUTS = "engine.outputs"
GENESIS = "0" * 64  # the hash before a symbol's first output
MAX_FILLS = 100  # makers that one input fills at most: its output must fit into a record

Status = Literal["open", "filled", "cancelled"]
Ending = Literal["requested", "ioc", "self_trade", "fills_max"]
Outcome = Literal["placed", "cancelled", "order_closed"]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of an output."""


class Source(_Part, frozen=True, kw_only=True):
    """The input record that an output answers."""

    topic: str
    partition: Rest
    offset: Rest


class Party(_Part, frozen=True, kw_only=True):
    """One of the two in a trade: gives `paid` of what was locked, gets `received` net of `fee`.

    The fee is taken from what the party would have received, and goes to the fee account.
    """

    order_id: OrderId
    user_id: Id
    side: Side
    paid_asset_id: Id
    paid: Amount
    received_asset_id: Id
    received: Rest
    fee: Rest


class Trade(_Part, frozen=True, kw_only=True):
    """A match, at the maker's price; `cost` = price x quantity / lot in raw quote units."""

    trade_id: str  # symbol id, output_seq and place in the output, as in "1-42-1"
    price: Amount
    quantity: Amount
    cost: Amount
    maker: Party
    taker: Party


class OrderState(_Part, frozen=True, kw_only=True):
    """An order after this output.

    `paid` is what all its trades so far took of its lock. `unlocked` is what is given back of the
    lock now, when it is no longer open: price improvement and the rest; else 0.
    """

    order_id: OrderId
    user_id: Id
    side: Side
    kind: Kind
    time_in_force: TimeInForce
    price: Amount
    quantity: Amount
    created_at: Milliseconds
    status: Status
    ending: Ending | None  # why it was cancelled
    filled: Rest
    remaining: Rest  # still to be filled; of a closed order what never was
    locked_asset_id: Id
    paid: Rest
    unlocked: Rest


class EngineOutput(Record, frozen=True, kw_only=True, tag="output"):
    """What one order or cancel did.

    `orders` holds each order that changed, makers in the order of their trades, the input's own
    one last. A cancel that came too late has none: its outcome is `order_closed`.
    """

    v: OrderVersion = ORDERS_SINCE
    symbol_id: Id
    output_seq: Count
    previous_hash: Hash
    source: Source
    user_id: Id
    request_id: RequestId
    body_hash: Hash
    order_id: OrderId  # the one placed, or the one to cancel
    outcome: Outcome
    created_at: Milliseconds  # the input's
    trades: tuple[Trade, ...]
    orders: tuple[OrderState, ...]
    hash: Hash = ""


decode_output = Reader[EngineOutput](EngineOutput)
_encode = msgspec.json.Encoder().encode
_UNSEALED = b'""}'  # how the bytes of an output without its hash end


def seal(output: EngineOutput) -> tuple[bytes, str]:
    """Return the record's bytes and its hash; `output` comes without one."""
    unsealed = _encode(output)
    assert unsealed.endswith(_UNSEALED), "the hash is the last field, and still empty"
    digest = hashlib.sha256(unsealed).hexdigest()
    return b'%s"%s"}' % (unsealed[: -len(_UNSEALED)], digest.encode()), digest


def sealed(output: EngineOutput) -> bool:
    """Say whether an output's hash fits its content."""
    return seal(msgspec.structs.replace(output, hash=""))[1] == output.hash
