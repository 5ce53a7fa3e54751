"""A case: the evidence of one run, decoded once and sorted, ready for checkers to walk over."""

from fnmatch import fnmatchcase

import msgspec

from reports.amounts import seconds
from reports.evidence import (
    Evidence,
    Operation,
    OwedHalt,
    ProcessEvent,
    RequestRow,
    Row,
    TopicRecord,
)
from reports.journal import Account, Applied, Decision, Journal
from reports.spoiled import as_sent
from reports.traffic import Emitted, Input, Passed, Published, RequestKey, place_of
from system.records import (
    EVENTS,
    OPERATIONS,
    ORDERS,
    OUTPUTS,
    LedgerRow,
    PlaceOrder,
    decode_event,
    decode_operation,
    decode_output,
    decode_validated,
)

_DOWN = ("crashed", "power_lost", "halted", "exited")
DECIDING = ("deposit", "withdraw", "lock")  # rows that are a decision, too


class Case:
    """Everything the checkers share. Built in one pass; it never looks beyond the evidence."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        self.about = evidence.about
        self.undecodable: list[tuple[TopicRecord, str]] = []
        self.inputs: list[Input] = []
        self.published: list[Published] = []
        self.passed: list[Passed] = []
        self.emitted: list[Emitted] = []
        self._decode(evidence)
        self.asked: list[Operation] = [o for o in evidence.operations if o.kind != "read"]
        self.transfers = [o for o in self.asked if o.kind in ("transfer_in", "transfer_out")]
        self.keys_of_orders: dict[str, RequestKey] = {
            source.command.order_id: source.key
            for source in self.inputs
            if isinstance(source.command, PlaceOrder)
        }
        self.journals = [Journal(log.shard, log.files) for log in evidence.logs]
        self.restarted = [Journal(r.shard, r.log) for r in evidence.restarts]
        self.steps = [step for journal in self.journals for step in journal.steps]
        self.decisions = [step for step in self.steps if isinstance(step, Decision)]
        self.applied = [step for step in self.steps if isinstance(step, Applied)]
        self.log_readable = bool(self.journals) and not any(j.damage for j in self.journals)
        self.rows: dict[Account, list[Row]] = {}
        self.rows_of_request: dict[tuple[int, str], list[Row]] = {}
        for row in sorted(evidence.rows, key=lambda r: (r.user_id, r.asset_id, r.seq)):
            self.rows.setdefault((row.user_id, row.asset_id), []).append(row)
            if row.event_type in DECIDING:
                self.rows_of_request.setdefault(self.request_of(row), []).append(row)
        self.requests: dict[RequestKey, RequestRow] = {
            (r.user_id, r.request_id, r.body_hash): r for r in evidence.requests
        }
        self.excused: list[str] = []
        self.settled = self.due(max((i.at_ns for i in self.inputs), default=0))
        # recoveries are tried out after the end; those stops are nobody's fault and cause nothing
        self.audit_ns = min((r.started_ns for r in evidence.restarts), default=self.about.ended_ns)
        self.last_event: dict[str, ProcessEvent] = {}
        for event in evidence.processes:
            self.last_event[event.process] = event

    @property
    def trading(self) -> bool:
        """Whether there is anything about orders."""
        return bool(
            self.passed
            or self.emitted
            or any(op.kind in ("place_order", "cancel") for op in self.asked)
            or any(not source.transfer for source in self.inputs)
        )

    def request_of(self, row: Row) -> tuple[int, str]:
        """Return the user and request that a deciding row is of."""
        key = self.keys_of_orders.get(row.ref_id) if row.event_type == "lock" else None
        return (row.user_id, row.ref_id if key is None else key[1])

    def _decode(self, evidence: Evidence) -> None:
        epoch_ns = self.about.epoch_ns
        for record in as_sent(evidence):
            at_ns = record.timestamp_ms * 1_000_000 - epoch_ns
            try:
                if record.topic == OPERATIONS:
                    command = decode_operation(record.value or b"")
                    self.inputs.append(Input(record, command, at_ns))
                elif record.topic == EVENTS:
                    event = decode_event(record.value or b"")
                    self.published.append(Published(record, event, at_ns))
                elif record.topic == ORDERS:
                    validated = decode_validated(record.value or b"")
                    self.passed.append(Passed(record, validated, at_ns))
                elif record.topic == OUTPUTS:
                    output = decode_output(record.value or b"")
                    self.emitted.append(Emitted(record, output, at_ns))
            except (msgspec.DecodeError, UnicodeDecodeError) as error:
                self.undecodable.append((record, str(error)))
        self.inputs.sort(key=lambda i: (i.record.partition, i.record.offset))
        self.published.sort(key=lambda p: (p.record.partition, p.record.offset))
        self.passed.sort(key=lambda p: (p.record.partition, p.record.offset))
        self.emitted.sort(key=lambda e: (e.record.partition, e.record.offset))

    # -- what is due ---------------------------------------------------------------------------

    def due(self, at_ns: int | None) -> bool:
        """Whether something that began at ``at_ns`` must be visible by the end of the evidence."""
        about = self.about
        if about.quiescent_ns is not None:
            return True
        return about.ended_ns - max(at_ns or 0, about.healed_ns) >= about.bound_ns

    def owed(self, event: ProcessEvent) -> OwedHalt | None:
        """Return the clause of the fault budget that owes this halt."""
        for clause in self.evidence.owed:
            if (
                fnmatchcase(event.process, clause.process)
                and fnmatchcase(event.reason, clause.reason)
                and fnmatchcase(event.detail, clause.detail)
            ):
                return clause
        return None

    def shard_of(self, partition: int) -> int:
        """Return the shard that owns a partition of the topics keyed by user."""
        return partition % self.about.shards + 1

    def excuse(self, *programs: str, shard: int = 0) -> str:
        """Say which owed halt keeps one of these programs down, if one does.

        Of UBSCore only `shard` counts, if one is named: the others go on. Settlement is a group:
        it is down only if nobody of it is left.
        """
        for program in programs:
            names = sorted(name for name in self.last_event if name.startswith(program))
            if program == "ubscore" and shard:
                names = names[shard - 1 : shard]
            halts = [found for name in names if (found := self._owed_halt(name))]
            if halts and (program != "settlement" or all(map(self.is_down, names))):
                return halts[0]
        return ""

    def _owed_halt(self, name: str) -> str:
        """Say why a program stays down, if it halted last and that was owed."""
        event = self.last_event[name]
        clause = self.owed(event) if event.kind == "halted" else None
        if clause is None:
            return ""
        return f"{name} halted ({event.reason}), which was owed: {clause.because}"

    def is_down(self, name: str) -> bool:
        """Whether a program was down in the end."""
        event = self.last_event.get(name)
        return event is not None and event.kind in _DOWN

    def forgive(self, *programs: str, shard: int = 0) -> bool:
        """Note and return whether an owed halt explains what is missing."""
        excuse = self.excuse(*programs, shard=shard)
        if excuse and excuse not in self.excused:
            self.excused.append(excuse)
        return bool(excuse)

    # -- causes --------------------------------------------------------------------------------

    def trail(self, key: RequestKey) -> str:
        """Say how far a request came, or where it became more than one."""
        source = next((i for i in self.inputs if i.key == key), None)
        if source is None:
            return "the operations topic never held it; " + self.why("gateway", None)
        place = place_of(source.record)
        decisions = [d for d in self.decisions if d.key == key and d.frame.outputs]
        if not decisions:
            return f"lies in {place}, but no frame decides it; {self.why('ubscore', source.at_ns)}"
        if len(decisions) > 1:
            return f"decided {len(decisions)} times: {', '.join(d.place for d in decisions)}"
        shown = [p for p in self.published if p.decides(key)]
        if not shown:
            why = self.why("ubscore", source.at_ns)
            return f"{decisions[0].place} was never published to the events topic; {why}"
        rows = len(self.rows_of_request.get(key[:2], ()))
        if rows > 1:
            return f"published once, as {shown[0].place}, and settled as {rows} rows"
        why = self.why("settlement", shown[0].at_ns)
        return f"published as {shown[0].place}, but not settled; {why}"

    def why(self, program: str, at_ns: int | None) -> str:
        """Say what happened to a program (or the faults around it) after ``at_ns``."""
        since = (at_ns or 0) - 1_000_000  # stamps of brokers are in milliseconds
        for event in self.evidence.processes:
            if not event.process.startswith(program) or event.kind not in _DOWN:
                continue
            if since <= event.at_ns < self.audit_ns:
                how = {"power_lost": "lost power", "crashed": "crashed", "exited": "exited"}
                what = how.get(event.kind, "halted")
                more = f" ({event.reason})" if event.reason else ""
                label = f"{event.process}#{event.incarnation}"
                return f"{label} {what}{more} at {seconds(event.at_ns)}, afterwards"
        for fault in self.evidence.faults:
            entered, left = fault.entered_ns, fault.left_ns
            until = self.about.ended_ns if left is None else left
            if fault.bites and entered is not None and entered <= (at_ns or 0) <= until:
                return f"while {fault.fault} was in force; {program} never went down"
        return f"{program} never went down afterwards: no crash explains it"


def content(event: LedgerRow) -> tuple[int | str, ...]:
    """Return the columns of an event that its ledger row must repeat."""
    return (
        event.user_id,
        event.asset_id,
        event.seq,
        event.delta_avail,
        event.delta_frozen,
        event.avail,
        event.frozen,
        event.event_type,
        event.ref_id,
        event.created_at,
    )


COLUMNS = (
    "user_id",
    "asset_id",
    "seq",
    "delta_avail",
    "delta_frozen",
    "avail",
    "frozen",
    "event_type",
    "ref_id",
    "created_at",
)
