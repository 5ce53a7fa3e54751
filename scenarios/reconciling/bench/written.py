"""A deployment as files in one folder: written once by who makes it up, then read as sources."""

from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

from reports.evidence import OrderRow, OutputRow, SideRow, TradeRow
from reports.live.log import walk
from reports.live.sources import Account, Answer, Cells, Cut, Entry
from reports.shown import Shown
from scenarios.reconciling.bench import spool
from scenarios.reconciling.bench.spool import Spool
from system.records import EVENTS, OPERATIONS, ORDERS, OUTPUTS
from system.wal.frames import AnyBody, kind_of
from system.wal.packing import Frame, Header, crc_of, pack, pack_header
from system.wal.reader import file_name

FILE_BYTES = 64 * 1024 * 1024
_SHOWN: tuple[type[Shown], ...] = (OutputRow, TradeRow, SideRow, OrderRow)
_TOPICS = (OPERATIONS, ORDERS, OUTPUTS, EVENTS)

_pack = msgspec.msgpack.encode
_cells = msgspec.msgpack.Decoder(Cells).decode
_answer = msgspec.msgpack.Decoder(Answer).decode
_cut = msgspec.msgpack.Decoder(Cut).decode


class Log:
    """One shard's log, in files as its owner would write them."""

    def __init__(self, folder: Path, shard: int) -> None:
        self.folder = folder
        self.shard = shard
        self.lsn = 0
        self._previous = 0
        self._parts: list[bytes] = []
        self._size = 0
        self._first = 1
        folder.mkdir()

    def add(self, body: AnyBody) -> int:
        """Append a frame; return its LSN."""
        if not self._parts:
            self._first = self.lsn + 1
            header = Header(1, self.shard, self._first, self.lsn, self.shard, self._previous)
            self._parts = [pack_header(header)]
        kind, version, payload = kind_of(body)
        chain = {"lsn": self.lsn + 1, "previous": self._previous, "synced_lsn": self.lsn}
        frame = pack(kind, payload, generation=1, version=version, **chain)
        self._previous = crc_of(frame)
        self._parts.append(frame)
        self._size += len(frame)
        self.lsn += 1
        if self._size >= FILE_BYTES:
            self.close()
        return self.lsn

    def close(self) -> None:
        """Write what is not written yet."""
        if self._parts:
            Path(self.folder, file_name(1, self._first)).write_bytes(b"".join(self._parts))
        self._parts, self._size = [], 0


class Writing:
    """A deployment that is being written; a context. Rows of the ledger are sorted at its end."""

    def __init__(self, folder: Path, shards: int, partitions: int) -> None:
        self.folder = folder
        self._stack = ExitStack()
        self.topics = {
            (topic, partition): self._spool(f"{topic}-{partition}")
            for topic in _TOPICS
            for partition in range(partitions)
        }
        self.logs = {shard: Log(folder / f"log-{shard}", shard) for shard in range(1, shards + 1)}
        self.requests = self._spool("requests")
        self.shown = {kind: self._spool(kind.__name__) for kind in _SHOWN}
        self.rows = 0
        self._unsorted = (folder / "unsorted").open("w+b", 1 << 20)
        self._at = 0
        self._places: dict[Account, array[int]] = {}

    def _spool(self, name: str) -> Spool:
        return self._stack.enter_context(Spool(self.folder / name))

    def __enter__(self) -> Self:
        return self

    def row(self, cells: Cells) -> None:
        """Write a row of the ledger."""
        value = _pack(cells)
        self._unsorted.write(value)
        self._places.setdefault(cells[:2], array("Q")).append(self._at << 16 | len(value))
        self._at += len(value)
        self.rows += 1

    def answer(self, answer: Answer) -> None:
        """Write a row of `requests`."""
        self.requests.add(_pack(answer))

    def show(self, row: Shown) -> None:
        """Write a row about outputs, trades and orders."""
        self.shown[type(row)].add(_pack(row))

    def finish(self, cut: Cut) -> None:
        """Sort the ledger as the database does, and say where the cut lies."""
        accounts = {}
        with Spool(self.folder / "ledger") as ledger:
            for account, places in sorted(self._places.items()):
                accounts[account] = ledger.count, len(places)
                for place in reversed(places):
                    self._unsorted.seek(place >> 16)
                    ledger.add(self._unsorted.read(place & 0xFFFF))
        with Spool(self.folder / "accounts") as listed:
            for entry in accounts.items():
                listed.add(_pack(entry))
        for log in self.logs.values():
            log.close()
        Path(self.folder, "cut").write_bytes(_pack(cut))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        self._unsorted.close()
        Path(self.folder, "unsorted").unlink()


class Written:
    """The sources in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._found = _cut((folder / "cut").read_bytes())
        self._accounts: dict[Account, tuple[int, int]] = {}

    def cut(self) -> Cut:
        """Return where it was cut."""
        return self._found

    def ends(self) -> dict[int, int]:
        """Return where the events end."""
        return {partition: span.high for partition, span in self._found.events.items()}

    def output_ends(self) -> dict[int, int]:
        """Return where the outputs end."""
        return {partition: span.high for partition, span in self._found.outputs.items()}

    def operations(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield commands."""
        return self._entries(OPERATIONS, partition, low, high)

    def events(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield events."""
        return self._entries(EVENTS, partition, low, high)

    def orders(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield orders and cancels."""
        return self._entries(ORDERS, partition, low, high)

    def outputs(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield the engine's outputs."""
        return self._entries(OUTPUTS, partition, low, high)

    def _entries(self, topic: str, partition: int, low: int, high: int) -> Iterator[Entry]:
        for record in spool.read(self.folder / f"{topic}-{partition}", low, high):
            yield Entry(*record)

    def frames(self, shard: int) -> Iterator[Frame]:
        """Yield a shard's frames, one file in memory at a time."""
        paths = sorted((self.folder / f"log-{shard}").iterdir())
        return walk((path.name, path.read_bytes()) for path in paths)

    def ledger(self) -> Iterator[Cells]:
        """Yield the ledger, account by account."""
        return (_cells(record.value) for record in spool.read(self.folder / "ledger"))

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        """Yield one account's rows."""
        if not self._accounts:
            self._accounts = dict(self._listed())
        first, count = self._accounts.get(account, (0, 0))
        rows = spool.read(self.folder / "ledger", first, first + count)
        return (_cells(record.value) for record in rows)

    def requests(self) -> Iterator[Answer]:
        """Yield the answers."""
        return (_answer(record.value) for record in spool.read(self.folder / "requests"))

    def shown(self) -> Iterator[Shown]:
        """Yield the rows about outputs, trades and orders."""
        for kind in _SHOWN:
            decode: Any = msgspec.msgpack.Decoder(kind).decode
            for record in spool.read(self.folder / kind.__name__):
                yield decode(record.value)

    def users_assets(self) -> Iterator[Account]:
        """Yield the accounts that have rows."""
        return (account for account, _ in self._listed())

    def _listed(self) -> Iterator[tuple[Account, tuple[int, int]]]:
        for record in spool.read(self.folder / "accounts"):
            yield msgspec.msgpack.decode(record.value, type=tuple[Account, tuple[int, int]])
