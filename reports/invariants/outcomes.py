"""Checkers of requests: acknowledged once, at most one effect, honest answers."""

from collections.abc import Generator, Iterator

from reports.breaks import Break
from reports.case import Case, RequestKey
from reports.evidence import Answer, Operation
from reports.journal import EMPTY, Account, Decision
from system.records import MAX_AMOUNT, Deposit, LedgerRow, Rejected, decode_transfer

DONE, REJECTED = "done", "rejected"


def acknowledged_once(case: Case) -> Generator[Break, None, int]:
    """I3: every acknowledged transfer is one ledger row, or one rejection."""
    checked = 0
    topic = {source.key for source in case.inputs}
    for op in case.transfers:
        if op.outcome != "ok" or not case.due(op.acknowledged_ns):
            continue
        checked += 1
        key = (op.user_id, op.request_id, op.body_hash)
        problem = _visible(case, key)
        if problem is None:
            continue
        code, found = problem
        if code != "TWICE" and key in topic and case.forgive("ubscore", "settlement"):
            continue
        yield Break(
            invariant="I3",
            code=code,
            where=f"request {op.request_id} of user {op.user_id}",
            expected="one decision, visible in ledger and requests",
            found=found,
            amount=_missing_amount(op) if code == "ACK_LOST" else 0,
            asset_id=op.asset_id,
            user_id=op.user_id,
            request_id=op.request_id,
            at_ns=op.acknowledged_ns,
            age_ns=case.about.ended_ns - (op.acknowledged_ns or 0),
            cause=case.trail(key),
        )
    return checked


def _visible(case: Case, key: RequestKey) -> tuple[str, str] | None:
    rows = case.rows_of_request.get(key[:2], ())
    entry = case.requests.get(key)
    if entry is None:
        if rows and not _other_body_won(case, key):
            return "HALF_VISIBLE", f"{len(rows)} ledger row(s), no entry in requests"
        return "ACK_LOST", "no decision anywhere"
    if entry.decision == DONE:
        if len(rows) == 1:
            return None
        return ("TWICE" if rows else "DONE_WITHOUT_ROW"), f"{len(rows)} ledger rows"
    if entry.decision == REJECTED or entry.expired:
        return None
    return "HALF_VISIBLE", "an entry in requests without a decision"


def _other_body_won(case: Case, key: RequestKey) -> bool:
    return any(
        k[:2] == key[:2] and k != key and e.decision == DONE for k, e in case.requests.items()
    )


def _missing_amount(op: Operation) -> int:
    return -op.amount if op.kind == "transfer_in" else op.amount


def one_effect(case: Case) -> Generator[Break, None, int]:
    """I4: one accepted frame, one event, one row per request key."""
    seen: set[tuple[int, str]] = set()
    for code, place, effects in (
        ("APPLIED_TWICE", "log", _logged(case)),
        ("PUBLISHED_TWICE", "events topic", _published(case)),
        ("SETTLED_TWICE", "ledger", _settled(case)),
    ):
        first: dict[tuple[int, str], str] = {}
        for key, where, asset_id, delta in effects:
            seen.add(key)
            if key not in first:
                first[key] = where
                continue
            yield Break(
                invariant="I4",
                code=code,
                where=f"request {key[1]} of user {key[0]}, {place}",
                expected=f"only {first[key]}",
                found=f"also {where}",
                amount=delta,
                asset_id=asset_id,
                user_id=key[0],
                request_id=key[1],
                cause="one request key had more than one effect",
            )
    return len(seen)


Effect = tuple[tuple[int, str], str, int, int]


def _logged(case: Case) -> Iterator[Effect]:
    for decision in case.decisions:
        if decision.accepted:
            for leg in decision.frame.legs:
                key = decision.frame.user_id, decision.frame.request_id
                yield key, decision.place, leg.asset_id, leg.delta_avail + leg.delta_frozen


def _published(case: Case) -> Iterator[Effect]:
    known: set[bytes] = set()
    for published in case.published:
        event = published.event
        value = published.record.value or b""
        if isinstance(event, LedgerRow) and value not in known:
            known.add(value)
            where = f"{published.place} (seq {event.seq}, n {event.n})"
            delta = event.delta_avail + event.delta_frozen
            yield (event.user_id, event.request_id), where, event.asset_id, delta


def _settled(case: Case) -> Iterator[Effect]:
    for key, rows in case.rows_of_request.items():
        for row in rows:
            yield key, f"row seq {row.seq}", row.asset_id, row.delta_avail + row.delta_frozen


def honest(case: Case) -> Generator[Break, None, int]:
    """I13: refused and rejected have no effect, done has one, reasons are true."""
    effects = {
        (e.user_id, e.request_id, e.body_hash)
        for p in case.published
        if isinstance(e := p.event, LedgerRow)
    } | {d.key for d in case.decisions if d.accepted}
    asked: dict[RequestKey, list[Operation]] = {}
    for op in case.transfers:
        asked.setdefault((op.user_id, op.request_id, op.body_hash), []).append(op)
    for key, ops in asked.items():
        if key in effects and all(op.outcome == "fail" for op in ops):
            yield _dishonest(key, "REFUSED_YET_APPLIED", f"refused ({ops[-1].reason})", "an effect")
    rejections = _rejections(case)
    for key, reason in rejections.items():
        if key in effects:
            yield _dishonest(key, "REJECTED_YET_APPLIED", f"rejected ({reason})", "an effect")
    for answer in case.evidence.answers:
        yield from _judge_answer(case, answer, rejections)
    yield from _true_reasons(case)
    return len(asked) + len(rejections) + len(case.evidence.answers)


def _dishonest(key: RequestKey, code: str, expected: str, found: str) -> Break:
    return Break(
        invariant="I13",
        code=code,
        where=f"request {key[1]} of user {key[0]}",
        expected=expected,
        found=found,
        user_id=key[0],
        request_id=key[1],
        cause="what was said is not what was done",
    )


def _rejections(case: Case) -> dict[RequestKey, str]:
    """Return every rejection that was logged, published or settled; later retries apart."""
    found: dict[RequestKey, str] = {}
    for decision in case.decisions:
        if decision.rejected and decision.frame.reason != "expired":
            found[decision.key] = decision.frame.reason or ""
    for published in case.published:
        event = published.event
        if isinstance(event, Rejected) and event.reason != "expired":
            found[event.user_id, event.request_id, event.body_hash] = event.reason
    for key, entry in case.requests.items():
        if entry.decision == REJECTED:
            found[key] = entry.reason or ""
    return found


def _judge_answer(
    case: Case, answer: Answer, rejections: dict[RequestKey, str]
) -> Generator[Break, None, None]:
    key = (answer.user_id, answer.request_id, answer.body_hash)
    if answer.status == DONE and not case.rows_of_request.get(key[:2]):
        yield _dishonest(key, "SAID_DONE_NO_EFFECT", "done", "no ledger row")
    elif answer.status == REJECTED and answer.reason != "expired":
        reasons = {reason for k, reason in rejections.items() if k[:2] == key[:2]}
        if answer.reason not in reasons:
            found = " or ".join(sorted(reasons)) or "no rejection"
            yield _dishonest(key, "REASON_DIFFERS", f"rejected ({answer.reason})", found)


def _true_reasons(case: Case) -> Generator[Break, None, None]:
    """Judge each rejection by what the log held when it was made."""
    for journal in case.journals:
        avail: dict[Account, int] = {}
        net: dict[int, int] = {}
        bodies: dict[tuple[int, str], set[str]] = {}
        for decision in journal.decisions:
            frame = decision.frame
            if decision.rejected and not _true(case, decision, avail, net, bodies):
                what = f"rejected ({frame.reason})"
                yield _dishonest(decision.key, "REASON_UNTRUE", "a true reason", what)
            for leg in frame.legs:
                avail[leg.user_id, leg.asset_id] = leg.avail
                net[leg.asset_id] = net.get(leg.asset_id, 0) + leg.delta_avail + leg.delta_frozen
            if frame.reason != "expired":
                bodies.setdefault(decision.key[:2], set()).add(frame.body_hash)


def _true(
    case: Case,
    decision: Decision,
    avail: dict[Account, int],
    net: dict[int, int],
    bodies: dict[tuple[int, str], set[str]],
) -> bool:
    frame = decision.frame
    command = decode_transfer(frame.command)
    account = (command.user_id, command.asset_id)
    match frame.reason:
        case "insufficient_balance":
            short = avail.get(account, EMPTY[0]) < command.amount
            return not isinstance(command, Deposit) and short
        case "unknown_account":
            return not any(user == command.user_id for user, _ in avail)
        case "overflow":
            room = MAX_AMOUNT // max(case.about.shards, 1) - net.get(command.asset_id, 0)
            return isinstance(command, Deposit) and command.amount > room
        case "request_id_reused":
            return bool(bodies.get(decision.key[:2], set()) - {frame.body_hash})
        case "expired":
            made_ms = int(frame.request_id.replace("-", "")[:12], 16)
            return made_ms < frame.forget_ms <= frame.time_ms
    return False
