"""Checkers over time: everything ends, only owed halts stop, reads are true and go forward."""

from bisect import bisect_right
from collections.abc import Generator
from itertools import pairwise

from reports.amounts import seconds
from reports.breaks import Break
from reports.case import Case
from reports.evidence import Answer, ClientRead, ProcessEvent
from reports.invariants.listings import listings_true
from reports.invariants.matching import first_outputs
from reports.invariants.taken import all_taken
from reports.journal import EMPTY, Account, Balance, say_balance
from reports.naming import account_name
from reports.traffic import Input
from system.records import LedgerRow

PROGRAMS = ("gateway", "ubscore", "engine", "settlement")
DEFECT = 1  # the exit code of a program that ended on an error of its own


def alive(case: Case) -> Generator[Break, None, int]:
    """I14: what is asked is taken, each record of the operations topic ends, each halt is owed."""
    seen: set[tuple[int, str, str]] = set()
    for source in case.inputs:
        if source.key in seen:
            continue
        seen.add(source.key)
        ended_ns, visible = _end(case, source)
        limit = max(source.at_ns, case.about.healed_ns) + case.about.bound_ns
        if visible and (ended_ns is None or ended_ns <= limit):
            continue
        if not visible and (not case.due(source.at_ns) or _waits_for_operator(case, source)):
            continue
        yield Break(
            invariant="I14",
            code="LATE" if visible else "STUCK",
            where=f"request {source.key[1]} of user {source.key[0]}",
            expected=f"decided and visible by {seconds(limit)}",
            found=f"visible at {seconds(ended_ns)}" if visible else "no end",
            asset_id=source.asset_id,
            user_id=source.key[0],
            request_id=source.key[1],
            at_ns=source.at_ns,
            age_ns=case.about.ended_ns - source.at_ns,
            cause=case.trail(source.key) if not visible else "it took longer than the bound",
        )
    asked = yield from all_taken(case)
    unanswered = yield from _unanswered(case)
    halts = 0
    for event in case.evidence.processes:
        if event.process.startswith(PROGRAMS):
            halts += event.kind == "halted"
            yield from _judge_end(case, event)
    return len(seen) + asked + unanswered + halts


def _waits_for_operator(case: Case, source: Input) -> bool:
    """Say whether a program without which a request cannot end was allowed to stay down."""
    shard = case.shard_of(source.record.partition)
    if not any(decision.key == source.key for decision in case.decisions):
        return case.forgive("ubscore", shard=shard)
    if source.transfer:
        return case.forgive("ubscore", "settlement", shard=shard)
    return case.forgive("ubscore", "settlement", "engine", shard=shard)


def _end(case: Case, source: Input) -> tuple[int | None, bool]:
    """Return when a request's outcome became durable (None: unobserved), and whether it did."""
    entry = case.requests.get(source.key)
    if entry is None:
        return None, False
    if entry.decision == "accepted":  # a cancel ends with the engine's answer
        return entry.outcome_ns, bool(entry.outcome)
    if entry.decision is not None:
        return entry.durable_ns, True
    return entry.expired_ns, bool(entry.expired)


def _unanswered(case: Case) -> Generator[Break, None, int]:
    """Yield the orders and cancels that the engine never answered."""
    answered = {
        (output.user_id, output.request_id, output.order_id)
        for emitted in case.emitted
        for output in (emitted.output,)
    }
    seen: set[tuple[int, str, str]] = set()
    for passed in case.passed:
        record = passed.validated
        key = record.user_id, record.request_id, record.order_id
        if key in seen:
            continue
        seen.add(key)
        if key in answered or not case.due(passed.at_ns):
            continue
        if case.forgive("engine", "ubscore", shard=record.shard):
            continue
        yield Break(
            invariant="I14",
            code="NOT_MATCHED",
            where=f"order {record.order_id} ({passed.place})",
            expected="an output of the engine",
            found="none",
            user_id=record.user_id,
            request_id=record.request_id,
            at_ns=passed.at_ns,
            age_ns=case.about.ended_ns - passed.at_ns,
            cause=case.why("engine", passed.at_ns),
        )
    return len(seen)


def _judge_end(case: Case, event: ProcessEvent) -> Generator[Break, None, None]:
    quiescent_ns = case.about.quiescent_ns
    if event.kind == "halted":
        clause = case.owed(event)
        if clause is not None:
            case.excused.append(f"{event.process} halted ({event.reason}): {clause.because}")
        else:
            yield _stop("UNOWED_HALT", event, "no halt: nothing that happened owes one")
    elif event.kind == "exited" and event.code == DEFECT:
        yield _stop("DEFECT", event, "no error that the program does not know")
    elif event.kind == "exited" and event.code:
        last = case.last_event[event.process] is event
        settled = quiescent_ns is not None and event.at_ns > quiescent_ns
        if last and not settled and case.due(event.at_ns):
            yield _stop("LEFT_DOWN", event, "running in the end")


def _stop(code: str, event: ProcessEvent, expected: str) -> Break:
    return Break(
        invariant="I14",
        code=code,
        where=f"{event.process}#{event.incarnation}",
        expected=expected,
        found=f"{event.kind} with code {event.code} ({event.reason}) {event.detail}".strip(),
        at_ns=event.at_ns,
        cause="the system owes its users progress",
    )


def reads_true(case: Case) -> Generator[Break, None, int]:
    """I15: a read shows a state that was, the last one at quiescence, and never an older one."""
    chains = _chains(case)
    checked = 0
    by_client: dict[tuple[str, int, int], list[ClientRead]] = {}
    for read in case.evidence.reads:
        by_client.setdefault((read.client, read.user_id, read.asset_id), []).append(read)
    for (_, user_id, asset_id), reads in by_client.items():
        account = (user_id, asset_id)
        checked += len(reads)
        yield from _one_client(case, account, reads, chains.get(account, [EMPTY]))
    yield from _all_accounts_shown(case, chains)
    answers: dict[tuple[str, int, str], list[Answer]] = {}
    for answer in case.evidence.answers:
        answers.setdefault((answer.client, answer.user_id, answer.request_id), []).append(answer)
    for given in answers.values():
        checked += len(given)
        yield from _answers(given)
    checked += yield from listings_true(case, first_outputs(case))
    return checked


def _chains(case: Case) -> dict[Account, list[Balance]]:
    """Return every balance an account had, by seq, from the log or else from the events."""
    changes: dict[tuple[Account, int], Balance] = {}
    if case.log_readable:
        for step in case.steps:
            for leg in step.frame.legs:
                place = ((leg.user_id, leg.asset_id), leg.seq)
                changes[place] = (leg.avail, leg.frozen, leg.seq)
    else:
        for published in case.published:
            event = published.event
            if isinstance(event, LedgerRow):
                place = ((event.user_id, event.asset_id), event.seq)
                changes[place] = (event.avail, event.frozen, event.seq)
    chains: dict[Account, list[Balance]] = {}
    for (account, seq), balance in sorted(changes.items()):
        chain = chains.setdefault(account, [EMPTY])
        if seq == len(chain):
            chain.append(balance)
    return chains


def _one_client(
    case: Case, account: Account, reads: list[ClientRead], chain: list[Balance]
) -> Generator[Break, None, None]:
    returned: list[int] = []
    newest: list[int] = []  # the highest seq seen so far, beside `returned`
    for read in sorted(reads, key=lambda r: r.returned_ns):
        before = bisect_right(returned, read.invoked_ns)
        floor = newest[before - 1] if before else 0
        seq = _seq_of(read, chain, floor)
        shown = f"avail {read.avail}, frozen {read.frozen}, seq {read.seq}"
        if seq is None:
            yield _untrue("NEVER_TRUE", account, read, "a balance the account once had", shown)
            continue
        if seq < floor:
            expected = f"at least seq {floor}, which this client has seen"
            yield _untrue("WENT_BACK", account, read, expected, shown)
        final = chain[-1]
        if read.quiescent and seq != final[2] and not case.forgive("settlement", "ubscore"):
            expected = say_balance(final, account[1])
            yield _untrue("STALE_AT_REST", account, read, expected, shown)
        returned.append(read.returned_ns)
        newest.append(max(newest[-1] if newest else 0, seq))


def _seq_of(read: ClientRead, chain: list[Balance], floor: int) -> int | None:
    """Return the seq of what was read; where it is not shown, the most favourable one."""
    shown = (read.avail, read.frozen)
    if read.seq is not None:
        fits = read.seq < len(chain) and chain[read.seq][:2] == shown
        return read.seq if fits else None
    if read.quiescent and chain[-1][:2] == shown:
        return chain[-1][2]
    matching = [balance[2] for balance in chain if balance[:2] == shown]
    return next((seq for seq in matching if seq >= floor), matching[-1] if matching else None)


def _all_accounts_shown(
    case: Case, chains: dict[Account, list[Balance]]
) -> Generator[Break, None, None]:
    shown: dict[tuple[str, int, int], dict[int, ClientRead]] = {}
    for read in case.evidence.reads:
        if read.quiescent:
            shown.setdefault((read.client, read.user_id, read.invoked_ns), {})[read.asset_id] = read
    for (_, user_id, _), reads in shown.items():
        example = next(iter(reads.values()))
        for account, chain in chains.items():
            hidden = account[0] == user_id and account[1] not in reads
            if hidden and not case.forgive("settlement", "ubscore"):
                expected = say_balance(chain[-1], account[1])
                yield _untrue("NOT_SHOWN", account, example, expected, "nothing")


def _answers(given: list[Answer]) -> Generator[Break, None, None]:
    given = sorted(given, key=lambda answer: answer.returned_ns)
    for before, after in pairwise(given):
        final = before.status in ("done", "rejected")
        if final and after.status != before.status and after.invoked_ns >= before.returned_ns:
            yield Break(
                invariant="I15",
                code="ANSWER_WENT_BACK",
                where=f"request {after.request_id}, asked by {after.client}",
                expected=before.status,
                found=after.status,
                user_id=after.user_id,
                request_id=after.request_id,
                at_ns=after.returned_ns,
                cause="a client was told something newer before",
            )


def _untrue(code: str, account: Account, read: ClientRead, expected: str, found: str) -> Break:
    return Break(
        invariant="I15",
        code=code,
        where=f"{account_name(account)}, read by {read.client}",
        expected=expected,
        found=found,
        asset_id=account[1],
        user_id=account[0],
        at_ns=read.returned_ns,
        cause="what a client was shown is not the account's history",
    )
