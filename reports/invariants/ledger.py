"""The checker of the ledger: its rows against the events, one to one."""

from collections.abc import Generator

from reports.breaks import Break
from reports.case import COLUMNS, Case, content
from reports.evidence import Row
from reports.journal import Account
from reports.naming import account_name
from reports.traffic import Published
from system.records import EVENTS, LedgerRow

Cells = tuple[int | str, ...]


def rows_match_events(case: Case) -> Generator[Break, None, int]:
    """I5: seq 1..n, no overwrite, rows and events equal column by column."""
    events: dict[tuple[Account, int], Published] = {}
    for published in case.published:
        event = published.event
        if not isinstance(event, LedgerRow):
            continue
        place = ((event.user_id, event.asset_id), event.seq)
        known = events.setdefault(place, published)
        if known is not published:
            assert isinstance(known.event, LedgerRow)
            yield from _compare("SEQ_REUSED", published.place, known.event, content(event))
    checked = len(events)
    for account, rows in case.rows.items():
        checked += len(rows)
        yield from _sequence(account, [row.seq for row in rows], "ledger")
        for row in rows:
            source = events.pop((account, row.seq), None)
            yield from _row(row, source)
    for (account, seq), published in events.items():
        if not case.due(published.at_ns):
            continue
        if not case.forgive("settlement", "ubscore", shard=published.event.shard):
            yield _without_row(case, account, seq, published)
    return checked


def _sequence(account: Account, seqs: list[int], where: str) -> Generator[Break, None, None]:
    for expected, seq in enumerate(seqs, start=1):
        if seq != expected:
            yield hole(account, where, expected, seq)
            return


def hole(account: Account, where: str, expected: int, found: int) -> Break:
    """Return the break of a sequence that jumps."""
    return Break(
        invariant="I5",
        code="HOLE",
        where=f"{account_name(account)}, {where}",
        expected=f"seq {expected}",
        found=f"seq {found}",
        asset_id=account[1],
        user_id=account[0],
        cause="the sequence of the account's rows is not 1..n",
    )


def _row(row: Row, source: Published | None) -> Generator[Break, None, None]:
    account = (row.user_id, row.asset_id)
    if row.overwrites:
        yield Break(
            invariant="I5",
            code="OVERWRITTEN",
            where=f"{account_name(account)} seq {row.seq}",
            expected="written once",
            found=f"changed {row.overwrites} time(s) by later writes",
            asset_id=row.asset_id,
            user_id=row.user_id,
            request_id=row.ref_id,
            at_ns=row.durable_ns,
            cause="two different rows were written under one key",
        )
    if source is None:
        yield Break(
            invariant="I5",
            code="ROW_WITHOUT_EVENT",
            where=f"{account_name(account)} seq {row.seq}",
            expected=f"an event in {EVENTS}",
            found="none",
            amount=row.delta_avail + row.delta_frozen,
            asset_id=row.asset_id,
            user_id=row.user_id,
            request_id=row.ref_id,
            at_ns=row.durable_ns,
            cause="nobody published what this row says",
        )
        return
    assert isinstance(source.event, LedgerRow)
    cells = tuple(getattr(row, column) for column in COLUMNS)
    yield from _compare("COLUMN_DIFFERS", source.place, source.event, cells)


def _compare(code: str, where: str, event: LedgerRow, found: Cells) -> Generator[Break, None, None]:
    expected = content(event)
    if expected == found:
        return
    names = [name for name, e, f in zip(COLUMNS, expected, found, strict=True) if e != f]
    pairs = dict(zip(COLUMNS, zip(expected, found, strict=True), strict=True))
    delta = int(found[3]) + int(found[4]) - event.delta_avail - event.delta_frozen
    yield Break(
        invariant="I5",
        code=code,
        where=f"{account_name((event.user_id, event.asset_id))} seq {event.seq}, {where}",
        expected=", ".join(f"{name}={pairs[name][0]}" for name in names),
        found=", ".join(f"{name}={pairs[name][1]}" for name in names),
        amount=delta,
        asset_id=event.asset_id,
        user_id=event.user_id,
        request_id=event.request_id,
        cause=f"{', '.join(names)} differ",
    )


def _without_row(case: Case, account: Account, seq: int, published: Published) -> Break:
    event = published.event
    assert isinstance(event, LedgerRow)
    return Break(
        invariant="I5",
        code="EVENT_WITHOUT_ROW",
        where=f"{account_name(account)} seq {seq}, {published.place}",
        expected="a ledger row",
        found="none",
        amount=-(event.delta_avail + event.delta_frozen),
        asset_id=account[1],
        user_id=account[0],
        request_id=event.request_id,
        at_ns=published.at_ns,
        age_ns=case.about.ended_ns - published.at_ns,
        cause=case.why("settlement", published.at_ns),
    )
