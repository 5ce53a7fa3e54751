"""Builds the evidence of a sound run by hand; tests then damage one thing in it."""

from typing import Any

import msgspec

from reports.evidence import (
    About,
    AccountRow,
    Answer,
    Attempt,
    ClientRead,
    Commit,
    Dump,
    Evidence,
    FaultReceipt,
    LogImage,
    LogLine,
    Operation,
    OwedHalt,
    ProcessEvent,
    RequestRow,
    Restart,
    Row,
    TopicRecord,
)
from system.effects import encode as encode_effects
from system.effects import of
from system.records import (
    EVENTS,
    OPERATIONS,
    Deposit,
    EventType,
    LedgerRow,
    Reason,
    Rejected,
    Withdraw,
    body_hash,
    encode,
)
from system.topics import key_of, partition_of
from system.wal.frames import CommandFrame, EpochFrame, Input, Leg, Output, kind_of
from system.wal.packing import Header, crc_of, pack, pack_header
from system.wal.reader import file_name

EPOCH_MS = 1_700_000_000_000
SECOND = 10**9
MS = 10**6
PARTITIONS = 4
BITS = "00" * 8


def log_files(bodies: list[Any], generation: int = 1) -> dict[str, bytes]:
    """Return a log that holds these frames, each synced before the next."""
    parts = [pack_header(Header(generation, 1, 1, 0, 7, 0))]
    previous = 0
    for lsn, body in enumerate(bodies, start=1):
        kind, version, payload = kind_of(body)
        links = {"lsn": lsn, "previous": previous, "synced_lsn": lsn - 1, "version": version}
        frame = pack(kind, payload, generation=generation, **links)
        previous = crc_of(frame)
        parts.append(frame)
    return {file_name(generation, 1): b"".join(parts)}


class Build:
    """A run in the making. Every list may be changed before `evidence` is called."""

    def __init__(self) -> None:
        self.now = SECOND
        self.operations: list[Operation] = []
        self.answers: list[Answer] = []
        self.reads: list[ClientRead] = []
        self.records: list[TopicRecord] = []
        self.bodies: list[Any] = [EpochFrame(counter=1, bits=BITS)]
        self.rows: list[Row] = []
        self.requests: list[RequestRow] = []
        self.accounts: list[AccountRow] = []
        self.commits: list[Commit] = []
        self.faults: list[FaultReceipt] = []
        self.owed: list[OwedHalt] = []
        self.restarts: list[Restart] = []
        self.lines: list[LogLine] = []
        self.processes = [
            ProcessEvent(at_ns=number, process=name, incarnation=1, kind="started")
            for number, name in enumerate(("gateway-1", "ubscore-1", "settlement-1"))
        ]
        self.dumps: list[Dump] | None = None
        self.about: dict[str, Any] = {}
        self.balances: dict[tuple[int, int], tuple[int, int]] = {}
        self.numbers: dict[int, int] = {}
        self.offsets: dict[tuple[str, int], int] = {}
        self.made = 0

    # -- what happens --------------------------------------------------------------------------

    def request_id(self) -> str:
        self.made += 1
        stamp = f"{EPOCH_MS + self.now // MS:012x}"
        return f"{stamp[:8]}-{stamp[8:]}-7000-8000-{self.made:012x}"

    def transfer(
        self,
        kind: str,
        user: int,
        asset: int,
        amount: int,
        *,
        reason: Reason | None = None,
        outcome: Any = "ok",
        request_id: str = "",
        reach: int = 5,
    ) -> str:
        """Carry one transfer through the first `reach` hops."""
        request = request_id or self.request_id()
        hashed = body_hash(kind, user, request, asset, amount)
        self.now += 10 * MS
        self._ask(kind, user, asset, amount, request, hashed, outcome)
        if reach >= 2:
            type_ = Deposit if kind == "transfer_in" else Withdraw
            command = type_(
                user_id=user, request_id=request, body_hash=hashed, asset_id=asset, amount=amount
            )
            source = self._append(OPERATIONS, user, encode(command))
            if reach >= 3:
                self._decide(command, source, reason, reach)
        return request

    def _ask(
        self, kind: Any, user: int, asset: int, amount: int, request: str, hashed: str, outcome: Any
    ) -> None:
        status = {"ok": 202, "fail": 400, "info": 0}[outcome]
        attempt = Attempt(
            invoked_ns=self.now,
            returned_ns=self.now + 3 * MS if status else None,
            status=status,
            reason="bad_amount" if status == 400 else "",
        )
        self.operations.append(
            Operation(
                client="client-1",
                kind=kind,
                user_id=user,
                asset_id=asset,
                amount=amount,
                request_id=request,
                body_hash=hashed,
                attempts=(attempt,),
                outcome=outcome,
            )
        )

    def _append(self, topic: str, user: int, value: bytes) -> TopicRecord:
        partition = partition_of(key_of(user), PARTITIONS)
        offset = self.offsets.get((topic, partition), 0)
        self.offsets[topic, partition] = offset + 1
        record = TopicRecord(
            topic=topic,
            partition=partition,
            offset=offset,
            key=key_of(user),
            value=value,
            timestamp_ms=EPOCH_MS + self.now // MS + 1,
            leader_epoch=0,
        )
        self.records.append(record)
        return record

    def _decide(self, command: Any, source: TopicRecord, reason: Any, reach: int) -> None:
        user, asset = command.user_id, command.asset_id
        created = source.timestamp_ms + 1
        n = self.numbers[source.partition] = self.numbers.get(source.partition, 0) + 1
        common: dict[str, Any] = {
            "shard": 1,
            "epoch": 1,
            "epoch_bits": BITS,
            "n": n,
            "user_id": user,
            "request_id": command.request_id,
            "body_hash": command.body_hash,
            "created_at": created,
        }
        legs: tuple[Leg, ...] = ()
        event: Any = Rejected(**common, reason=reason) if reason else None
        if not reason:
            delta = command.amount if isinstance(command, Deposit) else -command.amount
            kind: EventType = "deposit" if delta > 0 else "withdraw"
            avail, seq = self.balances.get((user, asset), (0, 0))
            avail, seq = avail + delta, seq + 1
            self.balances[user, asset] = (avail, seq)
            legs = (Leg(kind, user, asset, seq, delta, 0, avail, 0),)
            event = LedgerRow(
                **common,
                asset_id=asset,
                seq=seq,
                delta_avail=delta,
                delta_frozen=0,
                avail=avail,
                frozen=0,
                event_type=kind,
                ref_id=command.request_id,
            )
        self.bodies.append(
            CommandFrame(
                Input(OPERATIONS, source.partition, source.offset, 0, 0),
                source.timestamp_ms,
                0,
                created,
                user,
                command.request_id,
                command.body_hash,
                encode(command),
                "rejected" if reason else "accepted",
                reason,
                legs,
                (Output(EVENTS, source.partition, n, key_of(user), encode(event)),),
            )
        )
        if reach >= 4:
            self._append(EVENTS, user, encode(event))
        if reach >= 5:
            self._settle(event, source.partition)

    def _settle(self, event: Any, partition: int) -> None:
        durable = self.now + 20 * MS
        if isinstance(event, LedgerRow):
            cells = msgspec.structs.asdict(event)
            self.rows.append(
                Row(**{f: cells[f] for f in Row.__struct_fields__[:10]}, durable_ns=durable)
            )
            account = event.user_id, event.asset_id
            if account not in {(known.user_id, known.asset_id) for known in self.accounts}:
                row = AccountRow(user_id=account[0], asset_id=account[1], durable_ns=durable)
                self.accounts.append(row)
        self.requests.append(
            RequestRow(
                user_id=event.user_id,
                request_id=event.request_id,
                body_hash=event.body_hash,
                decision="rejected" if isinstance(event, Rejected) else "done",
                reason=event.reason if isinstance(event, Rejected) else None,
                effects=None if isinstance(event, Rejected) else encode_effects((of(event),)),
                durable_ns=durable,
            )
        )
        self.commits.append(
            Commit(
                group="settlement",
                topic=EVENTS,
                partition=partition,
                offset=self.offsets[EVENTS, partition],
                metadata="",
                at_ns=durable + 5 * MS,
            )
        )

    def audit(self) -> None:
        """Have an auditor read every account once everything is at rest."""
        for user in sorted({user for user, _ in self.balances}):
            self.now += 30 * MS
            for account in sorted(self.balances):
                if account[0] == user:
                    self.read(*account, quiescent=True, client="auditor", after_ns=0)

    def read(
        self,
        user: int,
        asset: int,
        *,
        quiescent: bool = False,
        client: str = "c",
        after_ns: int = 30 * MS,
    ) -> None:
        """Have a client read what is there now."""
        self.now += after_ns
        avail, seq = self.balances.get((user, asset), (0, 0))
        self.reads.append(
            ClientRead(
                client=client,
                user_id=user,
                asset_id=asset,
                invoked_ns=self.now,
                returned_ns=self.now + MS,
                avail=avail,
                frozen=0,
                seq=seq,
                quiescent=quiescent,
            )
        )

    def ask(self, user: int, request: str, status: Any, reason: str = "") -> None:
        """Have a client ask what became of a request."""
        self.now += 30 * MS
        self.answers.append(
            Answer(
                client="c",
                user_id=user,
                request_id=request,
                invoked_ns=self.now,
                returned_ns=self.now + MS,
                status=status,
                reason=reason,
            )
        )

    def happens(self, process: str, kind: Any, **more: Any) -> None:
        """Let something happen to a process."""
        self.now += MS
        event = ProcessEvent(
            at_ns=self.now, process=process, kind=kind, **{"incarnation": 1, **more}
        )
        self.processes.append(event)

    # -- the result ----------------------------------------------------------------------------

    def dump(self) -> bytes:
        """Return what UBSCore would dump now."""
        numbers = sorted(self.numbers.items())
        positions = sorted((p, o) for (t, p), o in self.offsets.items() if t == OPERATIONS)
        state = {
            "lsn": len(self.bodies),
            "balances": [
                {"user_id": u, "asset_id": a, "avail": avail, "frozen": 0, "seq": seq}
                for (u, a), (avail, seq) in sorted(self.balances.items())
            ],
            "positions": [
                {"topic": OPERATIONS, "partition": p, "next_offset": o} for p, o in positions
            ],
            "outputs": [{"topic": EVENTS, "partition": p, "n": n} for p, n in numbers],
        }
        return msgspec.json.encode(state)

    def evidence(self) -> Evidence:
        end = self.now + 60 * SECOND
        about = {
            "scenario": "nine_deposits",
            "seed": 7,
            "token": "wt1-nine_deposits-0-7",
            "stage": "simulated",
            "versions": {"python": "3.11", "simpy": "4.1.1"},
            "story": "Three users make three deposits each.",
            "command": "wavetank run nine_deposits --seed 7",
            "digest": "9c1e44d07b21",
            "epoch_ns": EPOCH_MS * MS,
            "healed_ns": self.now,
            "quiescent_ns": self.now + SECOND,
            "ended_ns": end,
        }
        whole = Dump(shard=1, process="ubscore-1", incarnation=1, taken_ns=end, body=self.dump())
        return Evidence(
            about=About(**{**about, **self.about}),
            operations=tuple(self.operations),
            answers=tuple(self.answers),
            reads=tuple(self.reads),
            records=tuple(self.records),
            logs=(LogImage(shard=1, taken_ns=end, files=log_files(self.bodies)),),
            dumps=(whole,) if self.dumps is None else tuple(self.dumps),
            restarts=tuple(self.restarts),
            rows=tuple(self.rows),
            requests=tuple(self.requests),
            accounts=tuple(self.accounts),
            commits=tuple(self.commits),
            processes=tuple(self.processes),
            faults=tuple(self.faults),
            owed=tuple(self.owed),
            lines=tuple(self.lines),
        )


def nine(reach: int = 5) -> Build:
    """The nine deposits, carried through the first `reach` hops."""
    build = Build()
    for user in (1001, 1002, 1003):
        for asset, amount in ((1, 10**12), (2, 10**14), (3, 10**13)):
            build.transfer("transfer_in", user, asset, amount, reach=reach)
    return build


def lively() -> Build:
    """Deposits, withdrawals, rejections, refusals, reads, answers and a recovery."""
    build = nine()
    first = build.operations[0].request_id
    build.transfer("transfer_out", 1001, 1, 4 * 10**11)
    poor = build.transfer("transfer_out", 1002, 1, 10**13, reason="insufficient_balance")
    build.transfer("transfer_out", 1777, 1, 10**8, reason="unknown_account")
    build.transfer("transfer_in", 1003, 3, 5, outcome="fail", reach=1)
    build.transfer("transfer_in", 1003, 3, 10**9, outcome="info")
    build.transfer("transfer_in", 1003, 3, 10**9, outcome="info", reach=1)
    build.read(1001, 1)
    build.transfer("transfer_in", 1001, 1, 10**8)
    build.read(1001, 1)
    build.ask(1001, first, "not_seen")
    build.ask(1001, first, "done")
    build.ask(1002, poor, "rejected", "insufficient_balance")
    build.audit()
    dump = build.dump()
    build.restarts.append(
        Restart(
            shard=1,
            process="ubscore-1",
            incarnation=2,
            started_ns=build.now,
            log=log_files(build.bodies),
            dumps=(dump, dump),
        )
    )
    return build
