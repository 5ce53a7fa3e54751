"""UBSCore between stand-ins, for benchmarks: its log is real, its Kafka a cheap one in memory."""

import gc
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar, cast

from confluent_kafka import Consumer, Producer, TopicPartition

from system.config import Kafka
from system.directory import DataDirectory
from system.log import Log
from system.outbox import Outbox
from system.records import (
    OPERATIONS,
    Deposit,
    Operation,
    PlaceOrder,
    body_hash,
    encode,
    order_id,
)
from system.symbols import BY_ID
from system.topics import key_of, partition_of
from system.tracing import Headers
from system.ubscore import UBSCore
from system.ubscore.cluster import TOPICS, Shard
from system.ubscore.settings import Core, Settings
from system.wal.writer import Shape, Writer

_PARTITIONS = 4
_USERS = 100
_NOW_MS = 1_700_000_000_000
MINE = Shard(
    shard=1,
    shards=1,
    partitions=_PARTITIONS,
    cluster_id="bench",
    topic_ids=dict.fromkeys(TOPICS, "bench"),
    identity=1,
)


class Record:
    """A record as the consumer hands it out."""

    __slots__ = ("_key", "_offset", "_partition", "_value")

    def __init__(self, partition: int, offset: int, key: bytes, value: bytes) -> None:
        self._partition, self._offset, self._key, self._value = partition, offset, key, value

    def topic(self) -> str:
        return OPERATIONS

    def headers(self) -> Headers:
        return [("traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")]

    def partition(self) -> int:
        return self._partition

    def offset(self) -> int:
        return self._offset

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes:
        return self._value

    def error(self) -> None:
        return None

    def leader_epoch(self) -> int:
        return 0

    def timestamp(self) -> tuple[int, int]:
        return 2, _NOW_MS


class _Feed:
    """Stands for a consumer: gives what it was made with."""

    def __init__(self, records: list[Record]) -> None:
        self.records = deque(records)

    def poll(self, _wait_s: float = 0) -> Record | None:
        return self.records.popleft() if self.records else None

    def consume(self, count: int, _wait_s: float) -> list[Record]:
        records = self.records
        return [records.popleft() for _ in range(min(count, len(records)))]

    def get_watermark_offsets(self, _place: TopicPartition, **_: bool) -> tuple[int, int]:
        return 0, 0

    def assign(self, _places: list[TopicPartition]) -> None:
        """Nothing to do."""

    def commit(self, **_: Any) -> None:
        """Nothing to do."""


class _Acknowledged:
    def offset(self) -> int:
        return 0


class _Sink:
    """Stands for a producer: has everything acknowledged at the next poll."""

    def __init__(self) -> None:
        self.reports: list[Callable[..., None]] = []

    def produce(self, *_: Any, on_delivery: Callable[..., None], **__: Any) -> None:
        self.reports.append(on_delivery)

    def poll(self, _wait_s: float = 0) -> int:
        due, self.reports = self.reports, []
        for report in due:
            report(None, _Acknowledged())
        return len(due)


class _ToSink(Outbox):
    def connect(self) -> Producer:
        return cast("Producer", _Sink())


class _Quiet(Log):
    def info(self, event: str, **fields: object) -> None:
        """Say nothing."""


B = TypeVar("B", bound="Bench")


class Bench(UBSCore):
    """UBSCore between the stand-ins."""

    outbox_type = _ToSink

    def __init__(self, settings: Settings, records: list[Record]) -> None:
        super().__init__(settings)
        self.log = self.outbox.log = _Quiet(self.name)
        self.feed = _Feed(records)

    def survey(self) -> Shard:
        return MINE

    def connect(self) -> None:
        self.inputs = self.make_inputs(cast("Consumer", self.feed))

    def verify(self) -> None:
        """Nothing was there before."""


@contextmanager
def opened(kind: type[B], records: list[Record], batch: int) -> Iterator[B]:
    """Open a UBSCore over a new directory on the disk of the working directory."""
    os.makedirs("runs", exist_ok=True)
    path = tempfile.mkdtemp(dir="runs", prefix="bench-")
    try:
        Writer(path, Shape(1, MINE.identity, 64 << 20)).format()
        DataDirectory(path, Shard).seal(MINE)
        core = kind(settings(path, batch), records)
        gc.freeze()  # as `python -m system` does
        core.open()
        yield core
        core.directory.unlock()
    finally:
        gc.unfreeze()
        shutil.rmtree(path)


def settings(path: str, batch: int) -> Settings:
    """Return what a UBSCore over the directory `path` is told."""
    own = Core(data=path, batch=batch, idle_ms=1, snapshot_every=10**9)
    return Settings(ubscore=own, kafka=Kafka(bootstrap="none:1"))


def records_of(operations: Iterable[Operation]) -> Iterator[Record]:
    """Yield operations as they lie in their topic."""
    ends = [0] * _PARTITIONS
    for operation in operations:
        key = key_of(operation.user_id)
        partition = partition_of(key, _PARTITIONS)
        yield Record(partition, ends[partition], key, encode(operation))
        ends[partition] += 1


def _key(number: int) -> str:
    return f"{_NOW_MS >> 16:08x}-{_NOW_MS & 0xFFFF:04x}-7000-8000-{number:012x}"


def deposits(count: int) -> Iterator[Deposit]:
    """Yield deposits of three assets for a hundred users."""
    for number in range(count):
        user, asset = 1001 + number % _USERS, 1 + number % 3
        amount = 10**9 + number
        yield Deposit(
            user_id=user,
            request_id=_key(number),
            body_hash=body_hash("transfer_in", user, _key(number), asset, amount),
            asset_id=asset,
            amount=amount,
        )


def orders(count: int) -> Iterator[Operation]:
    """Yield some deposits, then orders of all of them."""
    yield from deposits(3 * _USERS)
    symbol = BY_ID[1]
    for number in range(3 * _USERS, count):
        user, key = 1001 + number % _USERS, _key(number)
        price, quantity = (100 + number % 50) * symbol.tick, symbol.lot
        terms = (symbol.id, "buy", "limit", "gtc", price, quantity)
        digest = body_hash("orders", user, key, *terms)
        yield PlaceOrder(
            user_id=user,
            request_id=key,
            body_hash=digest,
            order_id=order_id(user, key, digest),
            symbol_id=symbol.id,
            side="buy",
            kind="limit",
            time_in_force="gtc",
            price=price,
            quantity=quantity,
        )
