"""What all records have in common: their format version, and the fields that several of them carry.

A record is written in the lowest format version that can express it, so that programs of the
version before go on reading whatever is not new to them. Version 1 has transfers, version 2
orders.
"""

from typing import Annotated, Literal

import msgspec

FORMAT_VERSION = 2  # the newest this program reads and writes
ORDERS_SINCE = 2

MAX_AMOUNT = 2**63 - 1
PPM = 1_000_000
FEE_USER = 1  # whose account takes the fees; every shard must know the same one

Id = Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)]  # 0 means nothing and is never valid
Amount = Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)]
Rest = Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT)]
Count = Annotated[int, msgspec.Meta(ge=1, le=MAX_AMOUNT)]
Milliseconds = Annotated[int, msgspec.Meta(ge=0, le=MAX_AMOUNT)]
Ppm = Annotated[int, msgspec.Meta(ge=0, le=PPM)]
RequestId = Annotated[  # a UUIDv7; its first 48 bits are the milliseconds it was made at
    str,
    msgspec.Meta(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"),
]
Hash = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
OrderId = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{32}$")]
Version = Annotated[int, msgspec.Meta(ge=1, le=FORMAT_VERSION)]
OrderVersion = Annotated[int, msgspec.Meta(ge=ORDERS_SINCE, le=FORMAT_VERSION)]

Side = Literal["buy", "sell"]
Kind = Literal["limit", "market"]
TimeInForce = Literal["gtc", "ioc"]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, gc=False):
    """Everything that travels: JSON, tagged by ``type``, its fields in the order given here."""

    v: Version = 1


class Numbered(Record, frozen=True, kw_only=True):
    """A record of UBSCore's: (shard, epoch, n) numbers it per (shard, topic, partition)."""

    shard: int
    epoch: int
    epoch_bits: str
    n: int
