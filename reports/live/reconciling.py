"""Reconciling a running deployment: one pass over every source, a second over what differs."""

import datetime as dt
from collections.abc import Iterable, Sequence
from contextlib import closing

from reports.amounts import asset_name, decimal
from reports.breaks import Break, Check, Verdict
from reports.invariants import CHECKERS
from reports.judge import PROMISE
from reports.live.accounts import Accounts
from reports.live.asked import Asked
from reports.live.blocks import BlockDetails
from reports.live.details import LedgerDetails
from reports.live.listed import Listed
from reports.live.logged import Logged
from reports.live.orders.kinds import Line, differing
from reports.live.orders.trading import Trading
from reports.live.outcome import Balance, Outcome
from reports.live.parts import Parts, left_over
from reports.live.published import Published
from reports.live.sources import Bounds, Cut, Sources
from reports.live.stored import Stored
from reports.live.told import AnswerDetails
from reports.live.waivers import Waiver, waive
from reports.reconcile.statement import INVARIANT, Statement


def reconcile(
    sources: Sources,
    bounds: Bounds,
    waivers: Sequence[Waiver] = (),
    today: dt.date | None = None,
) -> Outcome:
    """Reconcile what the sources hold as of a cut; `today` decides which waivers have expired."""
    cut = sources.cut()
    day = today or dt.datetime.fromtimestamp(cut.at_ms / 1000, dt.UTC).date()
    with closing(Accounts(bounds.accounts_max)) as accounts:
        reading = Reading(sources, cut, bounds, accounts)
        reading.read()
        reading.look_again()
        return reading.outcome(waivers, day)


class Reading:
    """All that one reconciliation reads, and what it finds."""

    def __init__(self, sources: Sources, cut: Cut, bounds: Bounds, accounts: Accounts) -> None:
        self.sources = sources
        self.cut = cut
        self.bounds = bounds
        self.trading = Trading(sources, cut, bounds)
        self.published = Published(sources, cut, bounds, accounts, self.trading.kinds)
        self.logged = Logged(sources, cut, bounds, self.trading)
        self.asked = Asked(sources, cut, bounds, self.logged)
        self.stored = Stored(sources, self.published)
        to_ledger = self.published.to_ledger
        self.rows = LedgerDetails(sources, cut, self.stored, to_ledger, bounds.breaks_max)
        self.blocks = BlockDetails(sources, cut, self.logged)
        answers = self.published.answers
        self.told = AnswerDetails(sources, cut, answers, bounds.breaks_max)

    def read(self) -> None:
        """Read every source once: upstream of the tables first, so that each row has a past."""
        self.trading.read()
        self.published.read(self.logged.sent.to_events)
        self.logged.read(self.published)
        if self.logged.cut_off:
            self.logged.sent.close(self.published, self.logged.partitions)
        self.trading.close(self.logged.readable, cut_off=self.logged.cut_off)
        self.asked.read()
        self.stored.read()
        if self.bounds.answers:
            for row in self.sources.requests():
                self.published.answers.answered(row)
            self.stored.read_lists()
            self.trading.tables.read()
            self.trading.tables.read_later(self.sources.output_ends())
        self.stored.read_later(self.sources.ends())
        self.stored.close(lists=self.bounds.answers)

    def look_again(self) -> None:
        """Read again, in detail, what does not agree."""
        self.rows.look()
        if self.with_logs:
            self.blocks.look_at_inputs(self.asked)
            self.blocks.look_at_outputs(self.published)
        self.trading.look_again(self.logged.readable)
        if self.bounds.answers:
            self.told.look()
            self.trading.tables.look_again()

    @property
    def with_logs(self) -> bool:
        """Whether there is a log between the topics, and all of it could be read."""
        return bool(self.cut.logs) and not self.logged.damaged

    def outcome(self, waivers: Sequence[Waiver], today: dt.date) -> Outcome:
        """Put everything together."""
        statement = self._statement()
        balances = tuple(self._balances(statement))
        found = [*self._other_breaks(balances), *statement.breaks(), *self._left_out()]
        counting, waived = waive(found, waivers, today)
        unknown = tuple(self._unknown())
        verdict: Verdict = "broken" if counting else "unknown" if unknown else "held"
        return Outcome(
            verdict=verdict,
            cut=self.cut,
            bounds=self.bounds,
            statement=statement,
            checks=tuple(self._checks(counting, statement, balances)),
            breaks=tuple(counting),
            waived=waived,
            trading=self._lines(),
            aside=self.trading.steps(with_logs=self.with_logs),
            flights=tuple(parts.flight for parts in [*self._parts(), *self._aside()]),
            balances=balances,
            unknown=unknown,
            notes=tuple(self._notes()),
            reads=self._reads(),
        )

    def _parts(self) -> list[Parts]:
        last = [self.published.to_ledger]
        return (
            [self.logged.from_topic, self.logged.sent.to_events, *last] if self.with_logs else last
        )

    def _aside(self) -> list[Parts]:
        return [part for part, _, _ in self.trading.parts(with_logs=self.with_logs)]

    def _lines(self) -> tuple[Line, ...]:
        return self.trading.kinds.lines

    @property
    def _whole(self) -> bool:
        """Whether everything there ever was is at hand, with every log."""
        retained = not any(span.low for span in self.cut.events.values())
        logs = self.with_logs and not self.logged.cut_off and self._all_logs
        return logs and retained and self.trading.whole

    def _statement(self) -> Statement:
        hops = [self.published.tally.totals, self.stored.tally.totals]
        if self.with_logs:
            hops = [self.asked.tally.totals, self.logged.tally.totals, *hops]
        steps = tuple(
            parts.step(before, after)
            for parts, before, after in zip(self._parts(), hops[:-1], hops[1:], strict=True)
        )
        if more := self.stored.suspects.more:
            cause = f"only {self.bounds.breaks_max} accounts are read again: what is left is theirs"
            steps = (*steps[:-1], left_over(steps[-1], f"{more} more accounts", cause))
        return Statement(hops=tuple(hops), steps=steps, ended_ns=0)

    # -- conservation --------------------------------------------------------------------------

    def _balances(self, statement: Statement) -> Iterable[Balance]:
        whole = self.with_logs and not self.logged.cut_off and self._all_logs
        source = self.logged if whole else self.published
        parts = self._parts()[1:] if whole else self._parts()[-1:]
        flights = [part.flight for part in parts]
        older = {} if whole else self.stored.older
        # what one shard has taken in of a fill and another one has not: all of it is nothing
        waiting = self.trading.applied.parts.flight.sums if self.with_logs else {}
        outputs = whole and self.trading.whole
        for asset in statement.assets:
            yield Balance(
                asset_id=asset,
                deposits=source.deposits.get(asset, 0),
                withdrawals=source.withdrawals.get(asset, 0),
                traded=-waiting.get(asset, 0) if outputs else source.traded.get(asset, 0),
                older=older.get(asset, (0, 0))[1],
                on_its_way=sum(flight.sums.get(asset, 0) for flight in flights),
                held=self.stored.held.get(asset, 0),
            )

    @property
    def _all_logs(self) -> bool:
        return set(self.logged.partitions) >= set(self.cut.events)

    # -- breaks --------------------------------------------------------------------------------

    def _other_breaks(self, balances: Iterable[Balance]) -> Iterable[Break]:
        for balance in balances:
            if balance.held != balance.owed:
                yield _not_conserved(balance)
        for listed in self._listed():
            yield from listed
        steps = self.trading.steps(with_logs=self.with_logs)
        yield from Statement(hops=(), steps=steps, ended_ns=0).breaks()
        if self._whole:
            yield from differing(self._lines())

    def _listed(self) -> Iterable[Listed]:
        """Yield what was found beside the steps."""
        yield from (self.published.breaks, self.logged.breaks, self.asked.breaks)
        yield from self.trading.breaks()
        yield from (self.rows.breaks, self.stored.breaks, self.told.breaks)

    def _left_out(self) -> Iterable[Break]:
        for count, what in (
            (self.stored.suspects.more, "accounts whose rows and events differ"),
            (self.rows.unread, "blocks of accounts' rows that differ from their events"),
            (self.blocks.unread, "blocks of the log that a topic does not agree with"),
            (self.trading.tables.unread, "groups of rows of trades and orders that differ"),
            (self.trading.unread, "blocks of orders on which topics and logs do not agree"),
            (self.told.unread, "groups of requests whose answers and events differ"),
            *((listed.more, listed.what) for listed in self._listed()),
        ):
            if count > 0:
                yield Break(
                    invariant=INVARIANT,
                    code="MORE",
                    where=f"{count} more {what}",
                    cause=f"only {self.bounds.breaks_max} are listed; their sums are in the totals",
                )

    def _checks(
        self, breaks: list[Break], statement: Statement, balances: Sequence[Balance]
    ) -> Iterable[Check]:
        rows, events = self.stored.checked, self.published.checked
        looked = {
            "I1": len(balances),
            **dict.fromkeys(("I2", "I5", "I6"), rows),
            "I12": sum(1 for _ in self.cut.settled),
            "I17": events,
            "I18": events + self.logged.checked + self.asked.checked,
        }
        trading = self.trading
        if trading.emitted.checked:
            looked["I9"] = trading.emitted.checked + trading.tables.checked
            if self.with_logs and trading.locks:
                looked["I10"] = sum(locks.checked for locks in trading.locks.values())
        if self.bounds.answers:
            answers = self.published.answers.checked
            looked.update({**dict.fromkeys(("I3", "I4", "I13"), answers), "I16": rows})
        for invariant, checked in sorted(looked.items(), key=lambda item: int(item[0][1:])):
            found = tuple(b for b in breaks if b.invariant == invariant)
            promise = CHECKERS[invariant][0]
            yield Check(invariant=invariant, promise=promise, checked=checked, breaks=found)
        found = tuple(b for b in breaks if b.invariant == INVARIANT)
        checked = sum(hop.count for hop in statement.hops)
        yield Check(invariant=INVARIANT, promise=PROMISE, checked=checked, breaks=found)

    # -- what is not known ---------------------------------------------------------------------

    def _unknown(self) -> Iterable[str]:
        if not self.published.checked and not self.stored.checked and not self.asked.checked:
            yield "there is nothing to reconcile: topics and tables are empty"

    def _notes(self) -> Iterable[str]:
        if self.published.checked and not self.cut.settled:
            yield "Settlement's group has committed nothing at all: is --group right?"
        if not self.cut.logs:
            yield "no log was given: what lies between the two topics was not reconciled"
        elif not self._all_logs:
            missing = sorted(set(self.cut.events) - set(self.logged.partitions))
            yield f"the logs of partitions {', '.join(map(str, missing))} were not given"
        if self.trading.passed.checked and not self.cut.logs:
            yield "no log was given: what the engine's outputs did to accounts was not compared"
        if self.logged.cut_off:
            yield "a log begins above LSN 1: older frames are gone and were not compared"
        older = sum(count for count, _ in self.stored.older.values())
        if older:
            yield f"{older} rows are older than the retained events: only their chain was checked"
        if self.published.answers.since_ms:
            yield "answers to requests older than the retained events were not compared"
        replays = self.published.replays.values()
        uncompared = sum(replay.numbers.uncompared for replay in replays)
        if uncompared:
            yield f"{uncompared} copies were sent too long after their first sending to compare"
        if self.stored.newer:
            yield f"{self.stored.newer} rows are newer than the cut, each checked against its event"

    def _reads(self) -> dict[str, int]:
        return {
            "operations": self.asked.checked,
            "frames": self.logged.checked,
            "events": self.published.checked,
            "orders": self.trading.passed.checked,
            "outputs": self.trading.emitted.checked,
            "ledger rows": self.stored.checked,
            "requests": self.published.answers.checked,
        }


def _not_conserved(balance: Balance) -> Break:
    asset = balance.asset_id
    return Break(
        invariant="I1",
        code="NOT_CONSERVED",
        where=f"{asset_name(asset)} in the ledger",
        expected=decimal(balance.owed, asset),
        found=decimal(balance.held, asset),
        amount=balance.held - balance.owed,
        asset_id=asset,
        cause="accepted deposits minus withdrawals are not what all accounts hold",
    )
