"""The checker of what was seen outside: all of it is in the durable log, and in Kafka."""

from collections.abc import Generator, Mapping

from reports.breaks import Break
from reports.case import Case
from reports.invariants.effects import output_name
from reports.journal import EMPTY, Account
from reports.naming import account_name
from system.records import OPERATIONS, ORDERS, OUTPUTS, CancelEnded, LedgerRow


def nothing_rolled_back(case: Case) -> Generator[Break, None, int]:
    """I17: what was acknowledged is in Kafka; events, rows, answers, reads are in the final log."""
    acknowledged = yield from _acknowledged(case)
    if not case.log_readable:
        case.forgive("ubscore")
        return acknowledged
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
    return acknowledged + topics + len((*evidence.rows, *evidence.answers, *evidence.reads))


def _acknowledged(case: Case) -> Generator[Break, None, int]:
    """Yield the 202s whose records Kafka does not hold."""
    held = {source.key for source in case.inputs}
    told = [op for op in case.asked if op.acknowledged_ns is not None]
    for op in told:
        key = op.user_id, op.request_id, op.body_hash
        if key not in held:
            yield Break(
                invariant="I17",
                code="ACKNOWLEDGED_AND_GONE",
                where=f"the {op.kind} of {op.client}, request {op.request_id}",
                expected=f"a record in {OPERATIONS}, as its 202 promised",
                found="none",
                asset_id=op.asset_id,
                user_id=op.user_id,
                request_id=op.request_id,
                at_ns=op.acknowledged_ns,
                cause=case.why("gateway", op.acknowledged_ns),
            )
    return len(told)


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
