"""A made-up bank of any size: N deposits are N operations, frames, events, rows and answers.

It is made up as it is read, each time anew: frames in files of 64 MB, ten rows an account.
"""

from collections.abc import Iterator

from reports.live.log import walk
from reports.live.sources import Account, Answer, Cells, Cut, Entry, Settled, Span
from reports.shown import Shown
from system.effects import Effect
from system.effects import encode as encode_effects
from system.records import EVENTS, OPERATIONS
from system.wal.frames import COMMAND, CommandFrame, Input, Leg, Output, kind_of
from system.wal.packing import Frame, Header, crc_of, pack, pack_header
from system.wal.reader import file_name

PARTITIONS = 4
ROWS_PER_ACCOUNT = 10
FILE_BYTES = 64 * 1024 * 1024
AMOUNT = 1_000
NOW_MS = 1_700_000_000_000
HASH = "5" * 64


class Transfers:
    """Streams of `rows` ledger rows; user u's home is partition u modulo 4, its asset is BTC."""

    def __init__(self, rows: int) -> None:
        self.users = max(rows // ROWS_PER_ACCOUNT // PARTITIONS, 1) * PARTITIONS
        self.each = self.users // PARTITIONS
        self.rows = self.users * ROWS_PER_ACCOUNT

    def cut(self) -> Cut:
        """Everything is settled."""
        count = self.rows // PARTITIONS
        spans = {p: Span(0, count) for p in range(PARTITIONS)}
        return Cut(
            at_ms=NOW_MS,
            operations=spans,
            events=spans,
            settled={p: Settled(count, {1: count + 1}) for p in spans},
            logs={1: tuple(spans)},
        )

    def ends(self) -> dict[int, int]:
        """Return where the events end."""
        return dict.fromkeys(range(PARTITIONS), self.rows // PARTITIONS)

    def place(self, partition: int, offset: int) -> tuple[int, int]:
        """Return user and seq of the record at an offset: users take turns."""
        turn, user = divmod(offset, self.each)
        return PARTITIONS + user * PARTITIONS + partition, turn + 1

    def operations(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield deposits."""
        for offset in range(low, high):
            yield Entry(offset, NOW_MS, _operation(*self.place(partition, offset)))

    def events(self, partition: int, low: int, high: int) -> Iterator[Entry]:
        """Yield the deposits' rows."""
        for offset in range(low, high):
            yield Entry(offset, NOW_MS, _event(*self.place(partition, offset), offset + 1))

    def frames(self, shard: int) -> Iterator[Frame]:
        """Yield the frames that decided them."""
        return walk(self._files(shard))

    def _files(self, shard: int) -> Iterator[tuple[str, bytes]]:
        lsn, previous = 1, 0
        while lsn <= self.rows:
            first = lsn
            parts = [pack_header(Header(1, shard, first, first - 1, 7, previous))]
            size = 0
            while lsn <= self.rows and size < FILE_BYTES:
                frame = self._frame(lsn, previous)
                previous = crc_of(frame)
                parts.append(frame)
                size += len(frame)
                lsn += 1
            yield file_name(1, first), b"".join(parts)

    def _frame(self, lsn: int, previous: int) -> bytes:
        offset, partition = divmod(lsn - 1, PARTITIONS)
        user, seq = self.place(partition, offset)
        leg = Leg("deposit", user, 1, seq, AMOUNT, 0, AMOUNT * seq, 0)
        output = Output(EVENTS, partition, offset + 1, b"%d" % user, _event(user, seq, offset + 1))
        body = CommandFrame(
            Input(OPERATIONS, partition, offset, 0, 0),
            *(NOW_MS, 0, NOW_MS, user, _request(user, seq), HASH),
            *(_operation(user, seq), "accepted", None, (leg,), (output,)),
        )
        _, _, payload = kind_of(body)
        return pack(COMMAND, payload, lsn=lsn, generation=1, previous=previous, synced_lsn=lsn - 1)

    def ledger(self) -> Iterator[Cells]:
        """Yield the rows, the highest seq of each account first."""
        for user in range(PARTITIONS, PARTITIONS + self.users):
            yield from self.ledger_of((user, 1))

    def ledger_of(self, account: Account) -> Iterator[Cells]:
        """Yield one account's rows."""
        user = account[0]
        for seq in range(ROWS_PER_ACCOUNT, 0, -1):
            avail = AMOUNT * seq
            yield (user, 1, seq, AMOUNT, 0, avail, 0, "deposit", _request(user, seq), NOW_MS)

    def requests(self) -> Iterator[Answer]:
        """Yield the answers."""
        for user in range(PARTITIONS, PARTITIONS + self.users):
            for seq in range(1, ROWS_PER_ACCOUNT + 1):
                yield Answer(
                    *(user, _request(user, seq), HASH, "done", None),
                    *(_effects(seq), None, None),
                )

    def orders(self, partition: int, low: int, high: int) -> Iterator[Entry]:  # noqa: ARG002
        """Yield no orders."""
        return iter(())

    outputs = orders

    def output_ends(self) -> dict[int, int]:
        """Return where the outputs end: there are none."""
        return {}

    def shown(self) -> Iterator[Shown]:
        """Yield no trades."""
        return iter(())

    def users_assets(self) -> Iterator[Account]:
        """Yield the accounts."""
        return ((user, 1) for user in range(PARTITIONS, PARTITIONS + self.users))


def _request(user: int, seq: int) -> str:
    return f"018bcfe5-6800-7000-8{seq:03x}-{user:012x}"


def _operation(user: int, seq: int) -> bytes:
    return (
        f'{{"type":"deposit","v":1,"user_id":{user},"request_id":"{_request(user, seq)}",'
        f'"body_hash":"{HASH}","asset_id":1,"amount":{AMOUNT}}}'
    ).encode()


def _event(user: int, seq: int, n: int) -> bytes:
    request = _request(user, seq)
    return (
        f'{{"type":"row","v":1,"shard":1,"epoch":1,"epoch_bits":"00","n":{n},"user_id":{user},'
        f'"asset_id":1,"seq":{seq},"delta_avail":{AMOUNT},"delta_frozen":0,'
        f'"avail":{AMOUNT * seq},"frozen":0,"event_type":"deposit","ref_id":"{request}",'
        f'"request_id":"{request}","body_hash":"{HASH}","created_at":{NOW_MS}}}'
    ).encode()


def _effects(seq: int) -> str:
    effect = Effect(
        event_type="deposit",
        asset_id=1,
        seq=seq,
        delta_avail=AMOUNT,
        delta_frozen=0,
        avail=AMOUNT * seq,
        frozen=0,
    )
    return encode_effects((effect,))
