"""Checkers of amounts: conservation, signs, running balances, whole effects."""

from collections.abc import Generator, Iterable, Iterator

from reports.amounts import asset_name, decimal, money
from reports.breaks import Break
from reports.case import Case
from reports.invariants.effects import fills_conserved, torn_fills
from reports.journal import Account, Decision
from reports.naming import account_name
from reports.reconcile.conservation import conservation
from system.records import Deposit, LedgerRow, Withdraw, decides, decode_operation

# where, account, seq, delta_avail, delta_frozen, avail, frozen, request
Change = tuple[str, Account, int, int, int, int, int, str]


def conserved(case: Case) -> Generator[Break, None, int]:
    """I1: per frame, and per asset in the log, the events and the ledger."""
    checked = yield from fills_conserved(case)
    for decision in case.decisions:
        checked += 1
        yield from _as_commanded(decision)
    if not case.settled or case.forgive("ubscore", "settlement"):
        return checked
    for asset in conservation(case):
        for source, total in asset.holdings.items():
            checked += 1
            if total != asset.expected:
                yield Break(
                    invariant="I1",
                    code="NOT_CONSERVED",
                    where=f"{asset_name(asset.asset_id)} in the {source}",
                    expected=decimal(asset.expected, asset.asset_id),
                    found=decimal(total, asset.asset_id),
                    amount=total - asset.expected,
                    asset_id=asset.asset_id,
                    cause="accepted deposits minus withdrawals are not what all accounts hold",
                )
    return checked


def _as_commanded(decision: Decision) -> Iterator[Break]:
    """Yield what a command's legs create or destroy beyond what it says; orders: nothing."""
    frame = decision.frame
    command = decode_operation(frame.command)
    expected: dict[int, int] = {}
    if isinstance(command, Deposit | Withdraw):
        sign = 1 if isinstance(command, Deposit) else -1
        expected[command.asset_id] = sign * command.amount if decision.accepted else 0
    found: dict[int, int] = {}
    for leg in frame.legs:
        found[leg.asset_id] = found.get(leg.asset_id, 0) + leg.delta_avail + leg.delta_frozen
    for asset in sorted(expected.keys() | found.keys()):
        due, there = expected.get(asset, 0), found.get(asset, 0)
        if due != there:
            yield Break(
                invariant="I1",
                code="LEGS_DIFFER",
                where=decision.place,
                expected=money(due, asset),
                found=money(there, asset),
                amount=there - due,
                asset_id=asset,
                user_id=frame.user_id,
                request_id=frame.request_id,
                cause=f"the legs are not what the {frame.decision} command says",
            )


def never_negative(case: Case) -> Generator[Break, None, int]:
    """I2: in log, events, ledger, and whatever clients were shown."""
    checked = 0
    for where, account, _, _, _, avail, frozen, request_id in changes(case):
        checked += 1
        if avail < 0 or frozen < 0:
            yield negative(where, account, avail, frozen, request_id)
    for read in case.evidence.reads:
        checked += 1
        if read.avail < 0 or read.frozen < 0:
            account = read.user_id, read.asset_id
            yield negative(f"read by {read.client}", account, read.avail, read.frozen, "")
    return checked


def negative(where: str, account: Account, avail: int, frozen: int, request_id: str) -> Break:
    """Return the break of a balance below zero."""
    return Break(
        invariant="I2",
        code="NEGATIVE",
        where=f"{account_name(account)}, {where}",
        expected="at least 0",
        found=f"avail {decimal(avail, account[1])}, frozen {decimal(frozen, account[1])}",
        amount=min(avail, 0) + min(frozen, 0),
        asset_id=account[1],
        user_id=account[0],
        request_id=request_id,
        cause="more was taken than was there",
    )


def changes(case: Case) -> Iterator[Change]:
    """Yield every balance change that was logged, published or settled, by source."""
    for step in case.steps:
        for leg in step.frame.legs:
            account = leg.user_id, leg.asset_id
            request_id = step.frame.request_id if isinstance(step, Decision) else ""
            yield (
                *(step.place, account, leg.seq, leg.delta_avail, leg.delta_frozen),
                *(leg.avail, leg.frozen, request_id),
            )
    for published in case.published:
        event = published.event
        if isinstance(event, LedgerRow):
            account = event.user_id, event.asset_id
            yield (
                *(published.place, account, event.seq, event.delta_avail, event.delta_frozen),
                *(event.avail, event.frozen, event.request_id),
            )
    for rows in case.rows.values():
        for row in rows:
            account = row.user_id, row.asset_id
            yield (
                *(f"ledger row {row.seq}", account, row.seq, row.delta_avail, row.delta_frozen),
                *(row.avail, row.frozen, row.ref_id),
            )


def running_balance(case: Case) -> Generator[Break, None, int]:
    """I6: in log, events and ledger, each on its own."""
    checked = 0
    chains: dict[tuple[str, Account], tuple[int, int, int]] = {}
    for change in _distinct(changes(case)):
        where, account, seq, delta_avail, delta_frozen, avail, frozen, request_id = change
        chain = (where.partition(" ")[0].partition("/")[0], account)
        before = chains.get(chain, (0, 0, 0))
        chains[chain] = (seq, avail, frozen)
        if seq != before[0] + 1:
            continue  # a hole has no sum; it is a break of I5
        checked += 1
        change_of = (delta_avail, delta_frozen)
        yield from off_chain(
            account, seq, where, before[1:], change_of, (avail, frozen), request_id
        )
    return checked


def off_chain(
    account: Account,
    seq: int,
    where: str,
    before: tuple[int, int],
    changed: tuple[int, int],
    after: tuple[int, int],
    request_id: str,
) -> Iterator[Break]:
    """Yield the balances (available, frozen) that are not the one before plus the change."""
    asset = account[1]
    for name, balance, expected in (
        ("avail", after[0], before[0] + changed[0]),
        ("frozen", after[1], before[1] + changed[1]),
    ):
        if balance != expected:
            yield Break(
                invariant="I6",
                code=f"{name.upper()}_CHAIN",
                where=f"{account_name(account)} seq {seq}, {where}",
                expected=decimal(expected, asset),
                found=decimal(balance, asset),
                amount=balance - expected,
                asset_id=asset,
                user_id=account[0],
                request_id=request_id,
                cause=f"{name} is not the balance before plus the change",
            )


def _distinct(all_changes: Iterable[Change]) -> Iterator[Change]:
    """Sort changes by source, account and seq; drop repetitions."""
    order = {"frame": 0, "balance.events": 1, "ledger": 2}
    seen: set[tuple[object, ...]] = set()
    keyed = []
    for change in all_changes:
        source = order[change[0].partition(" ")[0].partition("/")[0]]
        identity = (source, *change[1:7])
        if identity not in seen:
            seen.add(identity)
            keyed.append((source, change[1], change[2], change))
    keyed.sort(key=lambda entry: entry[:3])
    return (change for *_, change in keyed)


def whole_effects(case: Case) -> Generator[Break, None, int]:
    """I16: the rows of a decision, its entry in requests, and the account's entry, or nothing.

    Of an engine output: all its legs on a shard in one frame, and at rest on every shard.
    """
    checked = yield from torn_fills(case)
    if not case.settled or case.forgive("settlement"):
        return checked
    accounts = {(a.user_id, a.asset_id) for a in case.evidence.accounts}
    legs: dict[tuple[int, str, str], dict[tuple[Account, int], LedgerRow]] = {}
    for published in case.published:
        event = published.event
        if isinstance(event, LedgerRow) and decides(event):
            place = ((event.user_id, event.asset_id), event.seq)
            key = event.user_id, event.request_id, event.body_hash
            legs.setdefault(key, {})[place] = event
    rows = {(account, row.seq): row for account, of in case.rows.items() for row in of}
    for key, parts in legs.items():
        here = [place for place in parts if place in rows]
        missing = [f"row {account_name(a)} seq {seq}" for a, seq in parts if (a, seq) not in rows]
        if key not in case.requests:
            missing.append("the entry in requests")
        missing += [
            f"{account_name(account)} in users_assets"
            for account in sorted({account for account, _ in here})
            if account not in accounts
        ]
        if missing and (here or key in case.requests):
            event = next(iter(parts.values()))
            yield Break(
                invariant="I16",
                code="TORN_EFFECT",
                where=f"request {key[1]} of user {key[0]}",
                expected=f"{len(parts)} row(s), the entry in requests and the account's entry",
                found=f"without {', '.join(missing)}",
                asset_id=event.asset_id,
                user_id=key[0],
                request_id=key[1],
                cause=case.why("settlement", None),
            )
    return checked + len(legs)
