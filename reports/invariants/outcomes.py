"""Checkers of requests: acknowledged once, at most one effect, honest answers."""

from collections.abc import Generator, Iterator

from reports.breaks import Break
from reports.case import Case
from reports.evidence import Answer, Operation, Row
from reports.invariants.answered import rows_as_decided
from reports.invariants.configured import fees_kept, horizon_kept
from reports.invariants.reasons import dishonest, untrue_reasons
from reports.journal import Applied
from reports.traffic import RequestKey
from system.records import CancelEnded, LedgerRow, Rejected, decides

DONE, REJECTED, ACCEPTED = "done", "rejected", "accepted"


def acknowledged_once(case: Case) -> Generator[Break, None, int]:
    """I3: what was acknowledged is one deciding row or one rejection; a cancel has an outcome."""
    checked = 0
    topic = {source.key: source.record.partition for source in case.inputs}
    for op in case.asked:
        if op.outcome != "ok" or not case.due(op.acknowledged_ns):
            continue
        checked += 1
        key = (op.user_id, op.request_id, op.body_hash)
        problem = _visible(case, key)
        if problem is None:
            continue
        code, found = problem
        if code != "TWICE" and key in topic:
            programs = ("ubscore", "settlement", "engine")[: 2 + (code == "CANCEL_OPEN")]
            if case.forgive(*programs, shard=case.shard_of(topic[key])):
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
    if entry.decision == ACCEPTED:
        return None if entry.outcome else ("CANCEL_OPEN", "an accepted cancel without outcome")
    return "HALF_VISIBLE", "an entry in requests without a decision"


def _other_body_won(case: Case, key: RequestKey) -> bool:
    return any(
        k[:2] == key[:2] and k != key and e.decision == DONE for k, e in case.requests.items()
    )


def _missing_amount(op: Operation) -> int:
    return {"transfer_in": -op.amount, "transfer_out": op.amount}.get(op.kind, 0)


def one_effect(case: Case) -> Generator[Break, None, int]:
    """I4: one accepted frame, event and row per request key; per trade and side, per order end."""
    seen: set[Identity] = set()
    for code, place, effects in (
        ("APPLIED_TWICE", "log", _logged(case)),
        ("PUBLISHED_TWICE", "events topic", _published(case)),
        ("SETTLED_TWICE", "ledger", _settled(case)),
    ):
        first: dict[Identity, str] = {}
        for key, where, asset_id, delta in effects:
            seen.add(key)
            if key not in first:
                first[key] = where
                continue
            what = "request" if key[2] in ("", "cancel") else f"{key[2]} of"
            yield Break(
                invariant="I4",
                code=code,
                where=f"{what} {key[1]} of user {key[0]}, {place}",
                expected=f"only {first[key]}",
                found=f"also {where}",
                amount=delta,
                asset_id=asset_id,
                user_id=key[0],
                request_id=key[1],
                cause="what may happen once happened more than once",
            )
    return len(seen)


Identity = tuple[int, str, str, int]  # user, request or order or trade, event type, asset
Effect = tuple[Identity, str, int, int]


def _identity(row: LedgerRow | Row) -> Identity:
    """Return what may have one effect: a transfer's request, or a kind of change of one trade."""
    if row.event_type in ("deposit", "withdraw"):
        return row.user_id, row.ref_id, "", 0
    return row.user_id, row.ref_id, row.event_type, row.asset_id


def _logged(case: Case) -> Iterator[Effect]:
    for step in case.steps:
        if isinstance(step, Applied):
            for event in step.events:
                if isinstance(event, LedgerRow):
                    delta = event.delta_avail + event.delta_frozen
                    yield _identity(event), step.place, event.asset_id, delta
        elif step.accepted:
            frame = step.frame
            key = frame.user_id, frame.request_id, "", 0
            for leg in frame.legs:
                yield key, step.place, leg.asset_id, leg.delta_avail + leg.delta_frozen
            if not frame.legs:
                yield key, step.place, 0, 0


def _published(case: Case) -> Iterator[Effect]:
    known: set[bytes] = set()
    for published in case.published:
        event = published.event
        value = published.record.value or b""
        if value in known or isinstance(event, Rejected):
            continue
        known.add(value)
        where = f"{published.place} (n {event.n})"
        if isinstance(event, LedgerRow):
            where = f"{published.place} (seq {event.seq}, n {event.n})"
            delta = event.delta_avail + event.delta_frozen
            yield _identity(event), where, event.asset_id, delta
        else:
            ended = "end of cancel" if isinstance(event, CancelEnded) else "cancel"
            yield (event.user_id, event.request_id, ended, 0), where, 0, 0


def _settled(case: Case) -> Iterator[Effect]:
    for rows in case.rows.values():
        for row in rows:
            delta = row.delta_avail + row.delta_frozen
            yield _identity(row), f"row seq {row.seq}", row.asset_id, delta


def honest(case: Case) -> Generator[Break, None, int]:
    """I13: refused and rejected have no effect, done has one, reasons are true."""
    effects = {
        (e.user_id, e.request_id, e.body_hash)
        for p in case.published
        if not isinstance(e := p.event, Rejected) and decides(e)
    } | {d.key for d in case.decisions if d.accepted}
    asked: dict[RequestKey, list[Operation]] = {}
    for op in case.asked:
        asked.setdefault((op.user_id, op.request_id, op.body_hash), []).append(op)
    for op in case.asked:
        yield from _told_to_come_back(op)
    for key, ops in asked.items():
        if key in effects and all(op.outcome == "fail" for op in ops):
            yield dishonest(key, "REFUSED_YET_APPLIED", f"refused ({ops[-1].reason})", "an effect")
    rejections = _rejections(case)
    for key, reason in rejections.items():
        if key in effects:
            yield dishonest(key, "REJECTED_YET_APPLIED", f"rejected ({reason})", "an effect")
    for answer in case.evidence.answers:
        yield from _judge_answer(case, answer, rejections)
    yield from untrue_reasons(case)
    yield from horizon_kept(case)
    yield from fees_kept(case)
    yield from rows_as_decided(case)
    return len(asked) + len(rejections) + len(case.evidence.answers)


def _told_to_come_back(op: Operation) -> Generator[Break, None, None]:
    """Yield an answer that sends a client away and does not say for how long."""
    if any(attempt.status == 429 and not attempt.retry_after_s for attempt in op.attempts):
        key = (op.user_id, op.request_id, op.body_hash)
        yield dishonest(key, "COME_BACK_WHEN", "429", "no Retry-After")


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
    outcomes = {e.outcome for k, e in case.requests.items() if k[:2] == key[:2] and e.outcome}
    if answer.status == DONE:
        if not case.rows_of_request.get(key[:2]) and DONE not in outcomes:
            yield dishonest(key, "SAID_DONE_NO_EFFECT", "done", "no ledger row")
    elif answer.status == REJECTED and answer.reason != "expired":
        reasons = {reason for k, reason in rejections.items() if k[:2] == key[:2]}
        reasons |= outcomes - {DONE}
        if answer.reason not in reasons:
            found = " or ".join(sorted(reasons)) or "no rejection"
            yield dishonest(key, "REASON_DIFFERS", f"rejected ({answer.reason})", found)
