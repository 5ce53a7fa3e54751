"""Checkers of the log: recovery, and nothing rolled back."""

from collections.abc import Generator, Mapping
from itertools import pairwise

import msgspec

from reports.breaks import Break
from reports.case import Case
from reports.invariants.effects import output_name
from reports.journal import EMPTY, Account, Balance, Journal, say_balance
from reports.naming import account_name
from system.records import ORDERS, OUTPUTS, CancelEnded, LedgerRow


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
        for step in journal.steps
        for output in step.frame.outputs
    }
    yield from _orders(case, outputs)
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
        for step in case.steps
        for leg in step.frame.legs
    }
    yield from _rows(case, legs)
    yield from _seen_by_clients(case)
    evidence = case.evidence
    topics = len(case.published) + len(case.passed) + len(case.applied)
    return topics + len(evidence.rows) + len(evidence.answers) + len(evidence.reads)


def _orders(
    case: Case, outputs: Mapping[tuple[int, str, int, int], bytes]
) -> Generator[Break, None, None]:
    """Yield what the engine was told and the log lost, and what the engine told and Kafka lost."""
    for passed in case.passed:
        record = passed.validated
        logged = outputs.get((record.shard, ORDERS, passed.record.partition, record.n))
        if logged != passed.record.value:
            code = "NOT_IN_LOG" if logged is None else "DIFFERS_FROM_LOG"
            account = record.user_id, 0
            what = f"record n {record.n} in {passed.place}"
            yield _rolled_back(case, code, what, account, 0, record.request_id, passed.at_ns)
    there = {emitted.record.value for emitted in case.emitted}
    for step in case.applied:
        if step.frame.value not in there:
            output = step.output
            symbol = "an engine output" if output is None else output_name(output)
            yield Break(
                invariant="I17",
                code="NOT_IN_TOPIC",
                where=f"{symbol}, applied by {step.place}",
                expected=f"the same bytes in {OUTPUTS}",
                found="none",
                cause="UBSCore acted on an output that Kafka does not hold",
            )


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
    decided |= {
        (event.user_id, event.request_id, "rejected")
        for step in case.applied
        for event in step.events
        if isinstance(event, CancelEnded) and event.outcome == "order_closed"
    }
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
