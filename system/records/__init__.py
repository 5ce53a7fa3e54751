"""The records that travel between the programs: operations, orders, engine outputs, events.

Every record is JSON, tagged by ``type`` and carries its format version ``v``; amounts are raw
integers (amount x 10^decimals). A record that cannot be decoded is a fault to stop on.
"""

import msgspec

from system.records.events import (
    EVENTS,
    Event,
    EventType,
    LedgerRow,
    Reason,
    Rejected,
    decode_event,
)
from system.records.fields import (
    FORMAT_VERSION,
    MAX_AMOUNT,
    ORDERS_SINCE,
    PPM,
    Amount,
    Hash,
    Id,
    Kind,
    Numbered,
    OrderId,
    Record,
    RequestId,
    Side,
    TimeInForce,
)
from system.records.operations import (
    OPERATIONS,
    Cancel,
    Deposit,
    Operation,
    PlaceOrder,
    Transfer,
    Withdraw,
    body_hash,
    decode_operation,
    decode_transfer,
    order_id,
)
from system.records.orders import (
    ORDERS,
    Validated,
    ValidatedCancel,
    ValidatedOrder,
    decode_validated,
)
from system.records.outputs import (
    GENESIS,
    MAX_FILLS,
    OUTPUTS,
    EngineOutput,
    OrderState,
    Party,
    Source,
    Trade,
    decode_output,
    seal,
    sealed,
)
from system.records.reading import NewerVersion

encode = msgspec.json.Encoder().encode

__all__ = [
    "EVENTS",
    "FORMAT_VERSION",
    "GENESIS",
    "MAX_AMOUNT",
    "MAX_FILLS",
    "OPERATIONS",
    "ORDERS",
    "ORDERS_SINCE",
    "OUTPUTS",
    "PPM",
    "Amount",
    "Cancel",
    "Deposit",
    "EngineOutput",
    "Event",
    "EventType",
    "Hash",
    "Id",
    "Kind",
    "LedgerRow",
    "NewerVersion",
    "Numbered",
    "Operation",
    "OrderId",
    "OrderState",
    "Party",
    "PlaceOrder",
    "Reason",
    "Record",
    "Rejected",
    "RequestId",
    "Side",
    "Source",
    "TimeInForce",
    "Trade",
    "Transfer",
    "Validated",
    "ValidatedCancel",
    "ValidatedOrder",
    "Withdraw",
    "body_hash",
    "decode_event",
    "decode_operation",
    "decode_output",
    "decode_transfer",
    "decode_validated",
    "encode",
    "order_id",
    "seal",
    "sealed",
]
