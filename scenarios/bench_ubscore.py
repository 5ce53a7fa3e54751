"""How fast UBSCore is alone: commands a second with its log on the disk; how long it recovers.

    python -m scenarios.bench_ubscore              commands/s by batch size, where the time goes
    python -m scenarios.bench_ubscore --recover    recovery of 1,000,000 commands

Kafka is a stand-in in memory that costs little, so that what is measured is the program. Rates are
of CPU time, because other work may share the machine; the syncs' waiting is shown apart.
"""

import argparse
import gc
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

from confluent_kafka import Consumer, Message, Producer, TopicPartition

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
from system.ubscore import UBSCore, arrivals
from system.ubscore.arrivals import Arrival
from system.ubscore.cluster import TOPICS, Shard
from system.ubscore.core import AnyFrame, Batch
from system.ubscore.settings import Core, Settings
from system.wal.reader import Contents
from system.wal.writer import Shape, Writer

BATCHES = (1, 16, 64, 256, 1024)
_PARTITIONS = 4
_USERS = 100
_COMMANDS = 16_000
_ROUNDS = 3
_NOW_MS = 1_700_000_000_000
_MINE = Shard(
    shard=1,
    shards=1,
    partitions=_PARTITIONS,
    cluster_id="bench",
    topic_ids=dict.fromkeys(TOPICS, "bench"),
    identity=1,
)


class _Record:
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

    def __init__(self, records: list[_Record]) -> None:
        self.records = deque(records)

    def poll(self, _wait_s: float = 0) -> _Record | None:
        return self.records.popleft() if self.records else None

    def consume(self, count: int, _wait_s: float) -> list[_Record]:
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


class _Bench(UBSCore):
    """UBSCore between the stand-ins; notes the CPU time of its parts."""

    outbox_type = _ToSink

    def __init__(self, settings: Settings, records: list[_Record]) -> None:
        super().__init__(settings)
        self.log = self.outbox.log = _Quiet(self.name)
        self.feed = _Feed(records)
        self.parts: dict[str, float] = dict.fromkeys(
            ("read", "decide", "frame and fold", "write and sync", "publish", "acknowledge"), 0.0
        )
        self.waited_s = 0.0

    def survey(self) -> Shard:
        return _MINE

    def connect(self) -> None:
        self.inputs = self.make_inputs(cast("Consumer", self.feed))

    def verify(self) -> None:
        """Nothing was there before."""


class _Timed(_Bench):
    """The same, with a clock around each part."""

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        began = time.process_time()
        yield
        self.parts[name] += time.process_time() - began

    def judge(self, messages: list[Message]) -> Batch:
        now_ms = time.time_ns() // 1_000_000
        with self.part("read"):
            come = [arrivals.read(m, self.terms, now_ms) for m in messages]
        batch: Batch = []
        for arrival in come:
            self.one(arrival, batch)
        return batch

    def one(self, arrival: Arrival, batch: Batch) -> None:
        began = time.process_time()
        frame: AnyFrame = self.command(arrival)
        decided = time.process_time()
        batch.append((self.keep(frame), frame))
        self.parts["decide"] += decided - began
        self.parts["frame and fold"] += time.process_time() - decided

    def sync(self) -> None:
        began = time.perf_counter()
        with self.part("write and sync"):
            super().sync()
        self.waited_s += time.perf_counter() - began

    def publish(self, batch: Batch) -> None:
        with self.part("publish"):
            super().publish(batch)

    def tend(self) -> None:
        with self.part("acknowledge"):
            super().tend()


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m scenarios.bench_ubscore")
    parser.add_argument("--recover", action="store_true", help="measure recovery, not commands")
    parser.add_argument("--commands", type=int, default=1_000_000, help="how many are logged")
    chosen = parser.parse_args()
    print(f"{os.cpu_count()} cores, Python {sys.version.split()[0]}, CPU time of one process\n")
    if chosen.recover:
        _recovery(chosen.commands)
    else:
        _commands()
    return 0


def _commands() -> None:
    _row("figure", "aim", "reached")
    for name, make in (("deposits", _deposits), ("orders", _orders)):
        records = _records(make(_COMMANDS))
        for size in BATCHES:
            rates = [_rate(records, size) for _ in range(_ROUNDS)]
            aim = ">= 30,000" if size == 256 else "-"
            _row(f"{name}, batch {size}: commands/s", aim, f"{statistics.median(rates):,.0f}")
        _shares(name, records)


def _rate(records: list[_Record], batch: int) -> float:
    count = _COMMANDS if batch > 1 else _COMMANDS // 16
    with _core(_Bench, records[-count:] if batch == 1 else records, batch) as core:
        began = time.process_time()
        while core.feed.records:
            core.step()
        return count / (time.process_time() - began)


def _shares(name: str, records: list[_Record]) -> None:
    with _core(_Timed, records, 256) as core:
        began, began_s = time.process_time(), time.perf_counter()
        while core.feed.records:
            core.step()
        total, total_s = time.process_time() - began, time.perf_counter() - began_s
    for part, seconds in core.parts.items():
        _row(f"  {name}: {part}", "-", f"{seconds / total:.1%}")
    _row(f"  {name}: explained", ">= 90 %", f"{sum(core.parts.values()) / total:.1%}")
    _row(f"  {name}: real time in write and sync", "-", f"{core.waited_s / total_s:.1%}")


def _recovery(commands: int) -> None:
    """Log many commands, take a snapshot before the last 10,000, and recover."""
    behind = min(10_000, commands // 2)
    with _core(_Bench, _records(_deposits(commands)), 1024) as core:
        while len(core.feed.records) > behind:
            core.step()
        core.frame_quiet()
        core.checkpoints.take(core.state, core.writer)
        while core.feed.records:
            core.step()
        core.directory.unlock()
        gc.collect()
        load, rest = _Fresh(core.settings, []).recovered()
    _row(f"recovery of {commands:,} commands, {behind:,} since the snapshot", "aim", "s")
    _row("  load of the snapshot", "-", f"{load:.2f}")
    _row("  all the rest", "< 1", f"{rest:.2f}")


class _Fresh(_Bench):
    """A program that only recovers."""

    loaded = 0.0

    def recovered(self) -> tuple[float, float]:
        """Return how long the snapshot took, and the log behind it."""
        self.prepare(_MINE)
        began = time.process_time()
        self.restore()
        ended = time.process_time()
        self.writer.close()
        return self.loaded - began, ended - self.loaded

    def read_log(self) -> Contents:
        self.loaded = time.process_time()
        return super().read_log()


@contextmanager
def _core(kind: type[_Bench], records: list[_Record], batch: int) -> Iterator[_Bench]:
    """Open a UBSCore over a new directory on the disk of the working directory."""
    os.makedirs("runs", exist_ok=True)
    path = tempfile.mkdtemp(dir="runs", prefix="bench-")
    try:
        Writer(path, Shape(1, _MINE.identity, 64 << 20)).format()
        DataDirectory(path, Shard).seal(_MINE)
        own = Core(data=path, batch=batch, idle_ms=1, snapshot_every=10**9)
        core = kind(Settings(ubscore=own, kafka=Kafka(bootstrap="none:1")), _renumbered(records))
        core.open()
        yield core
        core.directory.unlock()
    finally:
        shutil.rmtree(path)


def _renumbered(records: list[_Record]) -> list[_Record]:
    """Return the records with offsets from 0 in each partition."""
    ends = [0] * _PARTITIONS
    made = []
    for record in records:
        partition = record.partition()
        made.append(_Record(partition, ends[partition], record.key(), record.value()))
        ends[partition] += 1
    return made


def _records(operations: Iterator[Operation]) -> list[_Record]:
    return [
        _Record(partition_of(key, _PARTITIONS), 0, key, encode(operation))
        for operation in operations
        for key in (key_of(operation.user_id),)
    ]


def _key(number: int) -> str:
    return f"{_NOW_MS >> 16:08x}-{_NOW_MS & 0xFFFF:04x}-7000-8000-{number:012x}"


def _deposits(count: int) -> Iterator[Deposit]:
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


def _orders(count: int) -> Iterator[Operation]:
    """Yield some deposits, then orders of all of them."""
    yield from _deposits(3 * _USERS)
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


def _row(figure: str, aim: str, reached: str) -> None:
    print(f"{figure:<64}{aim:<14}{reached}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
