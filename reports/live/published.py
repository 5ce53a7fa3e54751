"""Reading the events topic: what was published, what each account came to, what is answered."""

from collections.abc import Iterator
from functools import partial

from reports.breaks import Break
from reports.case import content
from reports.live.accounts import Accounts, State
from reports.live.answered import Answers
from reports.live.folds import MASK, Blocks, hash_cells, hash_numbered
from reports.live.listed import Listed
from reports.live.numbering import Arrived, Numbers, Odd
from reports.live.orders.kinds import PUBLISHED, Kinds
from reports.live.parts import Found, Parts, Tally
from reports.live.replay import Replay
from reports.live.sources import Account, Bounds, Cut, Sources
from reports.live.suspects import Suspects
from reports.reconcile.codes import EVENTS_TOPIC, LEDGER, LOG, meaning
from system.records import EVENTS, LedgerRow
from system.topics import key_of, partition_of

CLOCK_LEAD_MS = 5 * 60 * 1000  # how far another clock may be ahead


class Published:
    """The events topic as of the cut."""

    def __init__(
        self, sources: Sources, cut: Cut, bounds: Bounds, accounts: Accounts, kinds: Kinds
    ) -> None:
        self.sources = sources
        self.cut = cut
        self.bounds = bounds
        self.accounts = accounts
        self.kinds = kinds
        self.logged = {partition for owned in cut.logs.values() for partition in owned}
        self.tally = Tally(EVENTS_TOPIC, "n")
        self.blocks: Blocks[int] = Blocks()
        self.to_ledger = Parts(EVENTS_TOPIC, LEDGER, cut.at_ms, bounds.breaks_max)
        self.suspects = Suspects(bounds.breaks_max)
        self.answers = Answers()
        self.replays: dict[int, Replay] = {}
        self.retained_ms: dict[int, int] = {}  # when a partition's first retained event was made
        self.epochs: dict[int, tuple[int, int, str]] = {}
        self.deposits: dict[int, int] = {}
        self.withdrawals: dict[int, int] = {}
        self.traded: dict[int, int] = {}
        self.breaks = Listed(bounds.breaks_max, "breaks in the events topic")
        self.checked = 0

    def read(self, log_parts: Parts) -> None:
        """Read all partitions up to the cut."""
        self._forget_what_is_gone()
        for partition, span in sorted(self.cut.events.items()):
            odd = Odd(
                partial(self._differs, partition, log_parts),
                partial(self._lost, partition),
                self.breaks.add,
            )
            replay = self.replays[partition] = Replay(self.sources, self.cut, partition, odd)
            for before, arrived in replay.read(span.high):
                hashed = hash_numbered(arrived.event.n, arrived.hashed)
                self.blocks.add(partition, arrived.event.n, hashed)
                self._one_log(partition, arrived)
                self._count(partition, arrived, log_parts)
                if before:
                    self._settled(partition, arrived)
                else:
                    self._in_flight(partition, arrived)
            self.checked += replay.records
            self._agree_with_commit(partition, replay)
            self._close(partition, replay.numbers)

    def before(self, partition: int, n: int | None) -> Iterator[Arrived]:
        """Yield the retained events with numbers below `n` (None: all) once more."""
        if n is not None and self.replays[partition].numbers.first >= n:
            return
        for _, arrived in Replay(self.sources, self.cut, partition).read(
            self.cut.events[partition].high
        ):
            if n is not None and arrived.event.n >= n:
                return
            yield arrived

    def _forget_what_is_gone(self) -> None:
        """Find out from when on the retained events tell of every request."""
        for partition, span in self.cut.events.items():
            if not span.low:
                continue
            first = next(Replay(self.sources, self.cut, partition).read(span.high), None)
            whole = self.cut.at_ms + CLOCK_LEAD_MS  # nothing is retained
            created_ms = whole if first is None else first[1].event.created_at
            self.retained_ms[partition] = created_ms
            since_ms = created_ms + CLOCK_LEAD_MS
            self.answers.since_ms = max(self.answers.since_ms, since_ms)

    def gone(self, user_id: int, created_at: int) -> bool:
        """Whether the event of a row this old may no longer be retained."""
        if not self.retained_ms:
            return False
        home = partition_of(key_of(user_id), len(self.cut.events))
        return created_at <= self.retained_ms.get(home, -1)

    def _one_log(self, partition: int, arrived: Arrived) -> None:
        """Check that one log speaks here: epochs go forward, and have one owner."""
        event = arrived.event
        epoch = event.shard, event.epoch, event.epoch_bits
        known = self.epochs.get(partition)
        if known == epoch:
            return
        self.epochs[partition] = epoch
        if known is not None and (known[0] != epoch[0] or known[1] >= epoch[1]):
            self.breaks.add(
                Break(
                    invariant="I17",
                    code="TWO_LOGS",
                    where=f"{EVENTS}/{partition}@{arrived.offset} n {event.n}",
                    expected=f"shard {known[0]}, an epoch after {known[1]}/{known[2]}",
                    found=f"shard {epoch[0]}, epoch {epoch[1]}/{epoch[2]}",
                    cause="two logs of one shard, or two shards, publish into one partition",
                )
            )

    def _count(self, partition: int, arrived: Arrived, log_parts: Parts) -> None:
        event = arrived.event
        if not isinstance(event, LedgerRow):
            return
        asset, delta = event.asset_id, event.delta_avail + event.delta_frozen
        self.tally.add(asset, delta)
        self.kinds.add(PUBLISHED, *_change(event))
        sums = self.traded
        if event.event_type in ("deposit", "withdraw"):
            sums = self.deposits if delta > 0 else self.withdrawals
        sums[asset] = sums.get(asset, 0) + (delta if sums is self.traded else abs(delta))
        if partition not in self.logged:
            cause = "the log that decided it was not given"
            log_parts.explain(found(event, "NO_LOG", partition, arrived, delta, 1, cause))

    def _settled(self, partition: int, arrived: Arrived) -> None:
        """Take in an event whose row must be in the ledger."""
        self.answers.decided(arrived.event)
        event = arrived.event
        if not isinstance(event, LedgerRow):
            return
        account = event.user_id, event.asset_id
        state = self.accounts.get(account)
        if state is None:
            state = self._first_of(partition, event)
        self._chain(account, state, event)
        state.seq = max(state.seq, event.seq)
        state.avail, state.frozen = event.avail, event.frozen
        state.fold = (state.fold + hash_cells(content(event))) & MASK  # type: ignore[arg-type]
        self.accounts.put(account, state)

    def _first_of(self, partition: int, event: LedgerRow) -> State:
        """Begin an account: at zero, or where the retained events begin."""
        if not self.cut.events[partition].low:
            return State()
        return State(
            event.seq - 1, event.avail - event.delta_avail, event.frozen - event.delta_frozen
        )

    def _chain(self, account: Account, state: State, event: LedgerRow) -> None:
        expected = (state.seq + 1, state.avail + event.delta_avail)
        frozen = state.frozen + event.delta_frozen
        if (event.seq, event.avail) != expected or event.frozen != frozen:
            self.suspects.add(account)

    def _in_flight(self, partition: int, arrived: Arrived) -> None:
        event = arrived.event
        if isinstance(event, LedgerRow):
            delta = event.delta_avail + event.delta_frozen
            self.kinds.wait(PUBLISHED, *_change(event))
            self.to_ledger.late(
                found(event, "", partition, arrived, -delta, -1, "settlement has not committed it"),
                self.bounds.max_age_ms,
            )

    def _agree_with_commit(self, partition: int, replay: Replay) -> None:
        settled = self.cut.settled.get(partition)
        span = self.cut.events[partition]
        if settled is None:
            return
        where = f"{EVENTS}/{partition}, the committed offset of Settlement"
        if settled.offset > span.high:
            self._commit_break(where, f"at most {span.high}", f"{settled.offset}", "COMMIT_AHEAD")
        elif settled.expected is None:
            found_ = "metadata that cannot be read"
            self._commit_break(where, "the state as of that offset", found_, "COMMIT_STATE")
        elif replay.next_at_cut > 1 and settled.offset > span.low:
            says = sorted(settled.expected.values())
            if says != [replay.next_at_cut]:
                shown = ", ".join(map(str, says)) or "nothing"
                expected = f"n {replay.next_at_cut} next"
                self._commit_break(where, expected, f"n {shown}", "COMMIT_STATE")

    def _commit_break(self, where: str, expected: str, found_: str, code: str) -> None:
        self.breaks.add(
            Break(
                invariant="I12",
                code=code,
                where=where,
                expected=expected,
                found=found_,
                cause="a restart of Settlement would go on from a place that is not where it was",
            )
        )

    def _close(self, partition: int, numbers: Numbers) -> None:
        self.tally.copies += numbers.copies
        if numbers.last >= max(numbers.first, 1):
            self.tally.reach(f"partition {partition}", numbers.first, numbers.last)

    def _differs(self, partition: int, log_parts: Parts, arrived: Arrived) -> None:
        """Accuse a number that was given twice."""
        event = arrived.event
        code, cause = meaning(LOG, EVENTS_TOPIC, "duplicate")
        if not isinstance(event, LedgerRow):
            log_parts.accuse(found(event, code, partition, arrived, 0, 0, cause))
            return
        delta = event.delta_avail + event.delta_frozen
        self.tally.add(event.asset_id, delta)
        log_parts.accuse(found(event, code, partition, arrived, delta, 1, cause))
        code, what = "NOT_APPLIED", "it bears a number that was taken: Settlement drops it"
        self.to_ledger.explain(found(event, code, partition, arrived, -delta, -1, what))

    def _lost(self, partition: int, first: int, last: int) -> None:
        """Accuse a gap, if nobody else can say what was in it."""
        if not self.cut.logs:
            self.breaks.add(_gap(partition, first, last))


def _change(row: LedgerRow) -> tuple[str, int, int, int]:
    return row.event_type, row.asset_id, row.delta_avail, row.delta_frozen


def found(
    event: object,
    code: str,
    partition: int,
    arrived: Arrived,
    amount: int,
    count: int,
    cause: str,
) -> Found:
    """Return a part about an event."""
    row = event if isinstance(event, LedgerRow) else None
    return Found(
        code,
        row.asset_id if row else 0,
        amount,
        count,
        arrived.timestamp_ms,
        arrived.event.user_id,
        arrived.event.request_id,
        f"{EVENTS}/{partition}@{arrived.offset} n {arrived.event.n}",
        cause,
    )


def _gap(partition: int, first: int, last: int) -> Break:
    return Break(
        invariant="I5",
        code="GAP",
        where=f"{EVENTS}/{partition} n {first}" + (f"-{last}" if last > first else ""),
        expected="every number once",
        found="none, although Settlement has committed beyond",
        cause="records were lost from the topic; the log would say what they were",
    )
