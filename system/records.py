"""The records that travel between the programs: operations in, ledger events out.

Every record is JSON, tagged by ``type`` and carries its format version ``v``; amounts are raw
integers (amount x 10^decimals). A record that cannot be decoded is a fault to stop on.
"""

import hashlib
from typing import Annotated, Literal

import msgspec

FORMAT_VERSION = 1
MAX_AMOUNT = 2**63 - 1

OPERATIONS = "balance.operations"
EVENTS = "balance.events"

Id = Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)]  # 0 means nothing and is never valid
Amount = Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)]
RequestId = Annotated[  # a UUIDv7; its first 48 bits are the milliseconds it was made at
    str,
    msgspec.Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Version = Annotated[int, msgspec.Meta(ge=1, le=FORMAT_VERSION)]

EventType = Literal["deposit", "withdraw"]
Reason = Literal[
    "insufficient_balance", "unknown_account", "expired", "overflow", "request_id_reused"
]


class Deposit(msgspec.Struct, frozen=True, kw_only=True, tag="deposit", forbid_unknown_fields=True):
    """A transfer in, as the gateway accepted it."""

    v: Version = FORMAT_VERSION
    user_id: Id
    request_id: RequestId
    body_hash: Hash
    asset_id: Id
    amount: Amount


class Withdraw(
    msgspec.Struct, frozen=True, kw_only=True, tag="withdraw", forbid_unknown_fields=True
):
    """A transfer out, as the gateway accepted it."""

    v: Version = FORMAT_VERSION
    user_id: Id
    request_id: RequestId
    body_hash: Hash
    asset_id: Id
    amount: Amount


Operation = Deposit | Withdraw


class LedgerRow(msgspec.Struct, frozen=True, kw_only=True, tag="row", forbid_unknown_fields=True):
    """One ledger row; the decision about its request rides on it.

    ``shard, epoch, epoch_bits, n`` number it per (shard, topic, partition); ``seq`` numbers the
    rows of (user, asset). ``created_at`` is milliseconds since the epoch, stamped once.
    """

    v: Version = FORMAT_VERSION
    shard: int
    epoch: int
    epoch_bits: str
    n: int
    user_id: int
    asset_id: int
    seq: int
    delta_avail: int
    delta_frozen: int
    avail: int
    frozen: int
    event_type: EventType
    ref_id: str
    request_id: str
    body_hash: str
    created_at: int


class Rejected(
    msgspec.Struct, frozen=True, kw_only=True, tag="rejected", forbid_unknown_fields=True
):
    """A command that changed nothing, and why."""

    v: Version = FORMAT_VERSION
    shard: int
    epoch: int
    epoch_bits: str
    n: int
    user_id: int
    request_id: str
    body_hash: str
    reason: Reason
    created_at: int


Event = LedgerRow | Rejected

encode = msgspec.json.Encoder().encode
decode_operation = msgspec.json.Decoder(Operation).decode
decode_event = msgspec.json.Decoder(Event).decode


def body_hash(route: str, user_id: int, request_id: str, asset_id: int, amount: int) -> str:
    """Return the SHA-256 of the canonical command, as 64 hexadecimal digits."""
    canonical = f"{route}\n{user_id}\n{request_id}\n{asset_id}\n{amount}"
    return hashlib.sha256(canonical.encode()).hexdigest()
