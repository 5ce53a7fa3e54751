"""Checkers of the ledger: rows against events, committed offsets against durable rows."""

from bisect import bisect_left
from collections.abc import Generator

from reports.amounts import seconds
from reports.breaks import Break
from reports.case import COLUMNS, Case, Published, content
from reports.evidence import Commit, Row
from reports.invariants.money import account_name
from reports.journal import Account
from system.records import EVENTS, OPERATIONS, LedgerRow

NEVER = 2**63  # later than any time

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
            yield from _row(case, row, source)
    for (account, seq), published in events.items():
        if case.due(published.at_ns) and not case.forgive("settlement", "ubscore"):
            yield _without_row(case, account, seq, published)
    return checked


def _sequence(account: Account, seqs: list[int], where: str) -> Generator[Break, None, None]:
    for expected, seq in enumerate(seqs, start=1):
        if seq != expected:
            yield Break(
                invariant="I5",
                code="HOLE",
                where=f"{account_name(account)}, {where}",
                expected=f"seq {expected}",
                found=f"seq {seq}",
                asset_id=account[1],
                user_id=account[0],
                cause="the sequence of the account's rows is not 1..n",
            )
            return


def _row(case: Case, row: Row, source: Published | None) -> Generator[Break, None, None]:
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


def commits_behind_rows(case: Case) -> Generator[Break, None, int]:
    """I12: rows were durable when their offsets were committed; a log holds what is committed."""
    by_partition: dict[int, tuple[list[int], list[tuple[int | None, str]]]] = {}
    for published in case.published:
        offsets, durable = by_partition.setdefault(published.record.partition, ([], []))
        offsets.append(published.record.offset)
        durable.append(_latest(durable, _durable_ns(case, published), published.place))
    checked = 0
    guilty: set[tuple[str, int]] = set()
    for commit in case.evidence.commits:
        partition = (commit.topic, commit.partition)
        if partition in guilty:
            continue
        if commit.topic == EVENTS:
            offsets, durable = by_partition.get(commit.partition, ([], []))
            index = bisect_left(offsets, commit.offset)
            if not index:
                continue
            at_ns, place = durable[index - 1]
            if at_ns is None:
                continue  # nobody saw when it became durable
            checked += 1
            if at_ns > commit.at_ns:
                guilty.add(partition)
                yield _ahead(commit, at_ns, f"the rows of {place}")
        elif commit.topic == OPERATIONS:
            for taken_ns, positions in _images(case):
                if commit.at_ns <= taken_ns and partition not in guilty:
                    checked += 1
                    framed = positions.get(partition, 0)
                    if commit.offset > framed:
                        guilty.add(partition)
                        yield _ahead(commit, NEVER, f"frames of offsets from {framed} on")
    return checked


def _images(case: Case) -> list[tuple[int, dict[tuple[str, int], int]]]:
    """Return every readable image of a log: when it was taken, and the positions it holds."""
    if len(case.journals) != 1:
        return []  # several shards share the topic; each owns other partitions
    images = [
        (image.taken_ns, journal.positions)
        for image, journal in zip(case.evidence.logs, case.journals, strict=True)
    ]
    images += [
        (restart.started_ns, journal.positions)
        for restart, journal in zip(case.evidence.restarts, case.restarted, strict=True)
    ]
    return [image for image in images if image[1]] if case.log_readable else []


def _durable_ns(case: Case, published: Published) -> int | None:
    event = published.event
    if isinstance(event, LedgerRow):
        for row in case.rows.get((event.user_id, event.asset_id), ()):
            if row.seq == event.seq:
                return row.durable_ns
        return NEVER
    entry = case.requests.get((event.user_id, event.request_id, event.body_hash))
    return NEVER if entry is None else entry.durable_ns


def _latest(
    durable: list[tuple[int | None, str]], at_ns: int | None, place: str
) -> tuple[int | None, str]:
    if not durable:
        return at_ns, place
    before = durable[-1]
    if before[0] is None or at_ns is None:
        return (None, place) if at_ns is None else before
    return (at_ns, place) if at_ns >= before[0] else before


def _ahead(commit: Commit, durable_ns: int, what: str) -> Break:
    when = "never became durable" if durable_ns == NEVER else f"durable at {seconds(durable_ns)}"
    return Break(
        invariant="I12",
        code="COMMIT_AHEAD",
        where=f"{commit.topic}/{commit.partition}, group {commit.group}",
        expected=f"{what} durable before offset {commit.offset} is committed",
        found=f"committed at {seconds(commit.at_ns)}, {when}",
        at_ns=commit.at_ns,
        cause="a crash right after this commit loses what was not durable yet",
    )
