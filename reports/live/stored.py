"""Reading the tables: each account's chain, against the events before the cut and after it."""

from collections.abc import Iterable
from itertools import groupby

from reports.breaks import Break
from reports.case import content
from reports.live.accounts import Accounts, State
from reports.live.folds import MASK, hash_cells
from reports.live.listed import Listed
from reports.live.numbering import Arrived
from reports.live.orders.kinds import SETTLED
from reports.live.parts import Tally
from reports.live.published import Published
from reports.live.sources import Account, Cells, Sources
from reports.naming import account_name
from reports.reconcile.codes import LEDGER
from system.records import LedgerRow


class Stored:
    """The ledger as it was read, row by row."""

    def __init__(self, sources: Sources, published: Published) -> None:
        self.sources = sources
        self.published = published
        self.accounts: Accounts = published.accounts
        self.suspects = published.suspects
        self.tally = Tally(LEDGER, "seq")
        self.held: dict[int, int] = {}  # per asset, the balances after the last row at the cut
        self.newer = 0
        self.older: dict[int, tuple[int, int]] = {}  # per asset, rows before what is retained
        self.breaks = Listed(self.suspects.most, "accounts missing in users_assets")
        self.checked = 0

    def read(self) -> None:
        """Read the whole ledger."""
        for account, rows in groupby(self.sources.ledger(), key=lambda row: row[:2]):
            self._account(account, rows)

    def _account(self, account: Account, rows: Iterable[Cells]) -> None:
        known = self.accounts.get(account)
        state = known or State()
        fold = 0
        above: Cells | None = None
        sound = True
        for row in rows:
            sound = _follows(row, above) and row[5] >= 0 <= row[6] and sound
            if above is None:
                state.top = row[2]
            if known is None and self.published.gone(row[0], row[9]):
                known = state  # of all its rows from here on down no event is retained
                state.seq = state.base = row[2]
            if row[2] <= state.seq and (above is None or above[2] > state.seq):
                self.held[row[1]] = self.held.get(row[1], 0) + row[5] + row[6]
            above = row
            fold = self._row(state, row, fold)
        sound = sound and above is not None and _follows(above, None, first=True)
        if not sound or fold != state.fold:
            self.suspects.add(account)
        self.accounts.put(account, state)

    def _row(self, state: State, row: Cells, fold: int) -> int:
        """Take in a row: newer than the cut, before what is retained, or to be matched."""
        self.checked += 1
        asset, seq, delta = row[1], row[2], row[3] + row[4]
        if seq > state.seq:
            self.newer += 1
            state.newer += 1
            state.newer_fold = (state.newer_fold + hash_cells(row)) & MASK
            return fold
        if seq <= state.base:
            count, total = self.older.get(asset, (0, 0))
            self.older[asset] = (count + 1, total + delta)
            return fold
        self.tally.add(asset, delta)
        self.published.kinds.add(SETTLED, row[7], asset, row[3], row[4])
        return (fold + hash_cells(row)) & MASK

    def read_lists(self) -> None:
        """Read which accounts are listed as having rows."""
        for account in self.sources.users_assets():
            state = self.accounts.get(account)
            if state is not None and not state.listed:
                state.listed = True
                self.accounts.put(account, state)

    def read_later(self, ends: dict[int, int]) -> None:
        """Explain newer rows by the events after the cut, read until now."""
        for partition, end in sorted(ends.items()):
            for arrived in self.published.replays[partition].read_after(end):
                self._later(arrived)

    def _later(self, arrived: Arrived) -> None:
        event = arrived.event
        self.published.answers.decided_later(event)
        if not isinstance(event, LedgerRow):
            return
        account = event.user_id, event.asset_id
        state = self.accounts.get(account)
        if state is not None and state.newer and event.seq <= state.top:
            state.newer -= 1
            hashed = hash_cells(content(event))  # type: ignore[arg-type]
            state.newer_fold = (state.newer_fold - hashed) & MASK
            self.accounts.put(account, state)

    def close(self, *, lists: bool) -> None:
        """Go through all accounts: rows nobody explained, rows that never came, lists."""
        for account, state in self.accounts:
            if state.newer or state.newer_fold or (not state.top and state.seq > state.base):
                self.suspects.add(account)
            if lists and state.top and state.seq and not state.listed:
                self.breaks.add(_unlisted(account))


def _follows(row: Cells, above: Cells | None, *, first: bool = False) -> bool:
    """Whether `above` continues the chain of `row`; or whether `row` begins one."""
    if first:
        return row[2] == 1 and row[5] == row[3] and row[6] == row[4]
    if above is None:
        return True
    balances = above[5] == row[5] + above[3] and above[6] == row[6] + above[4]
    return balances and above[2] == row[2] + 1


def _unlisted(account: Account) -> Break:
    return Break(
        invariant="I16",
        code="NOT_LISTED",
        where=f"{account_name(account)} in users_assets",
        expected="an entry, because the account has rows",
        found="none",
        asset_id=account[1],
        user_id=account[0],
        cause="the first row was written without its entry: clients do not see the account",
    )
