"""The checker of recoveries: each life begins with what the durable log adds up to."""

from collections.abc import Generator, Mapping
from itertools import pairwise

import msgspec

from reports.breaks import Break
from reports.case import Case
from reports.journal import EMPTY, Account, Balance, Journal, say_balance
from reports.naming import account_name
from system.wal.frames import CommandFrame, EngineFrame, EpochFrame, Leg


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
    """I7: dumps, recoveries that were watched, and first changes after any, against the log."""
    checked = yield from _continued(case)
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
            checked += 1
            yield from _compare(states[0], journal, None, where)
        final = journals.get(restart.shard)
        for first, second in pairwise(states):
            checked += 1
            if final is not None and _grew(final, first.lsn, second.lsn):
                yield from _compare(second, final, second.lsn, where)
            elif (first.balances, first.outputs) != (second.balances, second.outputs):
                expected = f"{len(first.balances)} balances, as the first time"
                yield _differs("TWICE_IS_NOT_ONCE", where, expected, "another state")
    return checked


def _grew(journal: Journal, after: int, up_to: int) -> bool:
    """Say whether anything was decided between two recoveries: input may come in late."""
    return any(after < step.lsn <= up_to for step in journal.steps)


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


def _continued(case: Case) -> Generator[Break, None, int]:
    checked = 0
    for journal in case.journals:
        checked += yield from _lives(journal)
    return checked


def _lives(journal: Journal) -> Generator[Break, None, int]:
    """Compare what each life began with, as its first changes tell, with what the log adds up to.

    This sees every restart of a run, also the first of several and those of a run that never
    came to rest; dumps are there for the last ones only.
    """
    folded: dict[Account, Balance] = {}
    touched: set[Account] = set()
    wrong: set[Account] = set()
    born = checked = 0
    for lsn, body in journal.bodies:
        if isinstance(body, EpochFrame):
            born, touched = lsn, set()
        elif isinstance(body, CommandFrame | EngineFrame):
            for leg in body.legs:
                account = leg.user_id, leg.asset_id
                sum_so_far, began = folded.get(account, EMPTY), _before(leg)
                if account not in touched | wrong:
                    checked += 1
                    if began != sum_so_far:
                        wrong.add(account)  # from here on it stays wrong: the first place tells
                        yield _began_elsewhere(account, born, lsn, sum_so_far, began)
                touched.add(account)
                avail, frozen, seq = sum_so_far
                folded[account] = avail + leg.delta_avail, frozen + leg.delta_frozen, seq + 1
    return checked


def _before(leg: Leg) -> Balance:
    return leg.avail - leg.delta_avail, leg.frozen - leg.delta_frozen, leg.seq - 1


def _began_elsewhere(
    account: Account, born: int, lsn: int, expected: Balance, found: Balance
) -> Break:
    return Break(
        invariant="I7",
        code="BEGAN_ELSEWHERE",
        where=f"{account_name(account)} in frame LSN {lsn}, its first since the start at {born}",
        expected=say_balance(expected, account[1]),
        found=say_balance(found, account[1]),
        amount=found[0] + found[1] - expected[0] - expected[1],
        asset_id=account[1],
        user_id=account[0],
        cause="the program came up with a state that its durable log does not add up to",
    )
