"""Commands to test with."""

from system.records import Deposit, Transfer, Withdraw, body_hash, encode
from system.topics import key_of, partition_of
from system.ubscore.arrivals import Arrival
from system.wal.frames import Input
from tests.system.small_kafka import NOW_MS, PARTITIONS


def request_id(made_at_ms: int, number: int) -> str:
    return f"{made_at_ms >> 16:08x}-{made_at_ms & 0xFFFF:04x}-7000-8000-{number:012x}"


def operation(kind: str, user_id: int, asset_id: int, amount: int, key: str) -> Transfer:
    type_ = Deposit if kind == "deposit" else Withdraw
    return type_(
        user_id=user_id,
        request_id=key,
        body_hash=body_hash(kind, user_id, key, asset_id, amount),
        asset_id=asset_id,
        amount=amount,
    )


def arrival(
    command: Transfer, offset: int, appended_ms: int = NOW_MS, now_ms: int = NOW_MS
) -> Arrival:
    partition = partition_of(key_of(command.user_id), PARTITIONS)
    source = Input("balance.operations", partition, offset, 0, offset)
    return Arrival(source, encode(command), command, appended_ms, now_ms)
