"""Checkers of the log: recovery, nothing rolled back, damage answered by a halt."""

from collections.abc import Generator, Mapping
from itertools import pairwise

import msgspec

from reports.breaks import Break
from reports.case import Case
from reports.evidence import Damage, ProcessEvent
from reports.invariants.money import account_name
from reports.journal import EMPTY, Account, Balance, Journal, say_balance
from system.records import LedgerRow
from system.topics import key_of, partition_of


class _Held(msgspec.Struct, frozen=True):
    user_id: int
    asset_id: int
    avail: int
    frozen: int
    seq: int


class _Place(msgspec.Struct, frozen=True):
    topic: str
    partition: int
    next_offset: int


class _Number(msgspec.Struct, frozen=True):
    topic: str
    partition: int
    n: int


class _State(msgspec.Struct, frozen=True):
    """The part of a dump that is judged."""

    lsn: int
    balances: tuple[_Held, ...]
    positions: tuple[_Place, ...] = ()
    outputs: tuple[_Number, ...] = ()


_decode = msgspec.json.Decoder(_State).decode


def state_is_fold(case: Case) -> Generator[Break, None, int]:
    """I7: dumps against the log as of their LSN; recoveries against the log they began with."""
    checked = 0
    journals = {journal.shard: journal for journal in case.journals if not journal.damage}
    if not case.log_readable:
        case.forgive("ubscore")  # a shard that may stay down has no state to compare
    for dump in case.evidence.dumps:
        journal = journals.get(dump.shard)
        if journal is None:
            continue
        checked += 1
        state = _decode(dump.body)
        where = f"dump of {dump.process}#{dump.incarnation} at LSN {state.lsn}"
        if state.lsn > journal.last_lsn:
            yield _differs("STATE_AHEAD", where, f"at most LSN {journal.last_lsn}", str(state.lsn))
        yield from _compare(state, journal, state.lsn, where)
    for restart, journal in zip(case.evidence.restarts, case.restarted, strict=True):
        where = f"recovery of {restart.process}#{restart.incarnation}"
        states = [_decode(body) for body in restart.dumps]
        if not journal.damage:
            for state in states:
                checked += 1
                yield from _compare(state, journal, None, where)
        for first, second in pairwise(states):
            checked += 1
            if (first.balances, first.outputs) != (second.balances, second.outputs):
                expected = f"{len(first.balances)} balances, as the first time"
                yield _differs("TWICE_IS_NOT_ONCE", where, expected, "another state")
    return checked


def _compare(
    state: _State, journal: Journal, lsn: int | None, where: str
) -> Generator[Break, None, None]:
    folded = journal.balances(lsn)
    held = {(b.user_id, b.asset_id): (b.avail, b.frozen, b.seq) for b in state.balances}
    if folded != held:
        yield from _compare_balances(folded, held, where)
    numbers = {(o.topic, o.partition): o.n for o in state.outputs}
    if journal.numbers(lsn) != numbers:
        expected, found = _pairs(journal.numbers(lsn)), _pairs(numbers)
        yield _differs("NUMBERS_DIFFER", where, expected, found)
    positions = {(p.topic, p.partition): p.next_offset for p in state.positions}
    for key, offset in sorted(journal.inputs(lsn).items()):
        if positions.get(key, 0) < offset:
            expected, found = f"{key[0]}/{key[1]} at {offset}", str(positions.get(key, 0))
            yield _differs("POSITION_BEHIND", where, expected, found)


def _compare_balances(
    folded: Mapping[Account, Balance], held: Mapping[Account, Balance], where: str
) -> Generator[Break, None, None]:
    for account in sorted(folded.keys() | held.keys()):
        expected, found = folded.get(account, EMPTY), held.get(account, EMPTY)
        if expected != found:
            yield Break(
                invariant="I7",
                code="STATE_DIFFERS",
                where=f"{account_name(account)}, {where}",
                expected=say_balance(expected, account[1]),
                found=say_balance(found, account[1]),
                amount=found[0] + found[1] - expected[0] - expected[1],
                asset_id=account[1],
                user_id=account[0],
                cause="the state is not what the durable log adds up to",
            )


def _differs(code: str, where: str, expected: str, found: str) -> Break:
    return Break(
        invariant="I7",
        code=code,
        where=where,
        expected=expected,
        found=found,
        cause="the state is not what the durable log adds up to",
    )


def _pairs(numbers: Mapping[tuple[str, int], int]) -> str:
    return ", ".join(f"{t}/{p}: {n}" for (t, p), n in sorted(numbers.items())) or "none"


def nothing_rolled_back(case: Case) -> Generator[Break, None, int]:
    """I17: events, rows, answers and reads are all in the final durable log."""
    if not case.log_readable:
        case.forgive("ubscore")
        return 0
    outputs = {
        (journal.shard, output.topic, output.partition, output.n): output.value
        for journal in case.journals
        for decision in journal.decisions
        for output in decision.frame.outputs
    }
    for published in case.published:
        event = published.event
        place = (event.shard, published.record.topic, published.record.partition, event.n)
        logged = outputs.get(place)
        if logged != published.record.value:
            code = "NOT_IN_LOG" if logged is None else "DIFFERS_FROM_LOG"
            delta = event.delta_avail + event.delta_frozen if isinstance(event, LedgerRow) else 0
            account = (event.user_id, event.asset_id if isinstance(event, LedgerRow) else 0)
            what = f"event n {event.n} in {published.place}"
            yield _rolled_back(case, code, what, account, delta, event.request_id, published.at_ns)
    legs = {
        ((leg.user_id, leg.asset_id), leg.seq): (leg.delta_avail, leg.delta_frozen)
        for decision in case.decisions
        for leg in decision.frame.legs
    }
    yield from _rows(case, legs)
    yield from _seen_by_clients(case)
    evidence = case.evidence
    return len(case.published) + len(evidence.rows) + len(evidence.answers) + len(evidence.reads)


def _rows(
    case: Case, legs: Mapping[tuple[Account, int], tuple[int, int]]
) -> Generator[Break, None, None]:
    for account, rows in case.rows.items():
        for row in rows:
            if legs.get((account, row.seq)) != (row.delta_avail, row.delta_frozen):
                what = f"ledger row {account_name(account)} seq {row.seq}"
                delta = row.delta_avail + row.delta_frozen
                yield _rolled_back(
                    case, "ROW_NOT_IN_LOG", what, account, delta, row.ref_id, row.durable_ns
                )


def _seen_by_clients(case: Case) -> Generator[Break, None, None]:
    decided = {(*d.key[:2], d.frame.decision) for d in case.decisions}
    words = {"done": "accepted", "rejected": "rejected"}
    for answer in case.evidence.answers:
        decision = words.get(answer.status)
        if decision and (answer.user_id, answer.request_id, decision) not in decided:
            what = f"the answer {answer.status!r} given to {answer.client}"
            account = (answer.user_id, 0)
            at_ns = answer.returned_ns
            yield _rolled_back(
                case, "ANSWER_NOT_IN_LOG", what, account, 0, answer.request_id, at_ns
            )
    final = {account: b for journal in case.journals for account, b in journal.balances().items()}
    for read in case.evidence.reads:
        account = (read.user_id, read.asset_id)
        if read.seq is not None and read.seq > final.get(account, EMPTY)[2]:
            what = f"the read of {account_name(account)} seq {read.seq} by {read.client}"
            yield _rolled_back(case, "READ_NOT_IN_LOG", what, account, 0, "", read.returned_ns)


def _rolled_back(
    case: Case,
    code: str,
    what: str,
    account: Account,
    delta: int,
    request_id: str,
    at_ns: int | None,
) -> Break:
    return Break(
        invariant="I17",
        code=code,
        where=what,
        expected="a frame in the final durable log",
        found="none, or another one",
        amount=delta,
        asset_id=account[1],
        user_id=account[0],
        request_id=request_id,
        at_ns=at_ns,
        cause=f"seen outside, gone inside; {case.why('ubscore', at_ns)}",
    )


def damage_halts(case: Case) -> Generator[Break, None, int]:
    """I18: real damage ends in a halt, sound logs do not, and no bad record is passed over."""
    damages = [d for fault in case.evidence.faults for d in fault.damage if not d.decidable]
    for damage in damages:
        event = _served_after(case, damage)
        if event is not None:
            yield _damaged(
                "SERVED_DAMAGED_LOG",
                f"{damage.file} offset {damage.offset} ({damage.kind})",
                "a halt with its reason",
                f"{event.process}#{event.incarnation} went on",
                damage.at_ns,
            )
    halted = {e.process for e in case.evidence.processes if e.kind == "halted"}
    for journal in case.journals:
        if journal.damage and not damages and not any(p.startswith("ubscore") for p in halted):
            yield _damaged(
                "LOG_UNREADABLE",
                f"shard {journal.shard}",
                "a log that can be read to its end",
                journal.damage,
                None,
            )
    for event in case.evidence.processes:
        if event.kind == "halted" and event.reason.startswith("log_") and not damages:
            where, found = f"{event.process}#{event.incarnation}", f"{event.reason}: {event.detail}"
            yield _damaged("HALT_WITHOUT_DAMAGE", where, "no halt", found, event.at_ns)
    yield from _bad_records(case)
    return len(case.journals) + len(damages) + len(case.evidence.records)


def _served_after(case: Case, damage: Damage) -> ProcessEvent | None:
    """Return the start of an incarnation that read a damaged log and did not halt."""
    started: ProcessEvent | None = None
    for event in case.evidence.processes:
        if not event.process.startswith("ubscore") or event.at_ns < damage.at_ns:
            continue
        if event.kind == "started":
            started = event
        elif event.kind == "halted":
            return None
        elif event.kind == "ready":
            return event
        elif event.kind in ("crashed", "power_lost", "exited"):
            started = None
    return started


def _bad_records(case: Case) -> Generator[Break, None, None]:
    for record, why in case.undecodable:
        where = f"{record.topic}/{record.partition}@{record.offset}"
        yield _damaged("UNDECODABLE", where, "a record of a known format", why, None)
    for decision in case.decisions:
        for why in decision.unreadable:
            yield _damaged("UNDECODABLE", decision.place, "a record of a known format", why, None)
    homes: dict[int, int] = {}
    keyed = [(s.record, s.command.user_id) for s in case.inputs]
    keyed += [(p.record, p.event.user_id) for p in case.published]
    for record, user_id in keyed:
        home = homes.get(user_id)
        if home is None:
            home = partition_of(key_of(user_id), case.about.partitions)
            homes[user_id] = home
        if record.partition != home or record.key != key_of(user_id):
            where = f"{record.topic}/{record.partition}@{record.offset}"
            expected = f"user {user_id} in partition {home}"
            found = f"key {(record.key or b'').decode(errors='replace')!r} in {record.partition}"
            yield _damaged("WRONG_PARTITION", where, expected, found, None)


def _damaged(code: str, where: str, expected: str, found: str, at_ns: int | None) -> Break:
    return Break(
        invariant="I18",
        code=code,
        where=where,
        expected=expected,
        found=found,
        at_ns=at_ns,
        cause="what cannot be decided must stop a program, and nothing else may",
    )
