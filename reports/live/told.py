"""The second look at `requests`: in suspected buckets, each fact against the event that made it."""

from reports.amounts import money
from reports.breaks import Break
from reports.facts import Fact, fact_of, facts_of
from reports.live.answered import BUCKETS, Answers, bucket_of
from reports.live.folds import AT_ONCE
from reports.live.listed import Listed
from reports.live.replay import Replay
from reports.live.sources import Cut, Sources
from reports.reconcile.codes import EVENTS_TOPIC, REQUESTS, meaning

Key = tuple[int, str, str]  # user, request, body hash


class AnswerDetails:
    """Compares suspected buckets fact by fact."""

    def __init__(self, sources: Sources, cut: Cut, answers: Answers, most: int) -> None:
        self.sources = sources
        self.cut = cut
        self.answers = answers
        self.breaks = Listed(most, "requests whose answers and events differ")
        self.unread = 0  # buckets

    def look(self) -> None:
        """Read the table, then the events, and compare."""
        buckets = self._chosen()
        if not buckets:
            return
        told = {
            fact
            for row in self.sources.requests()
            for fact in facts_of(row)
            if bucket_of(fact) in buckets and self.answers.counts(fact)
        }
        asked = self._asked(buckets)
        wrong = {fact[:3]: fact for fact in sorted(told - asked.keys())}
        for fact in sorted(fact for fact, before in asked.items() if before and fact not in told):
            other = wrong.pop(fact[:3], None)
            self._accuse(fact, other)
        for fact in wrong.values():
            self._orphan(fact)
        self._twice(asked)

    def _chosen(self) -> set[int]:
        """Return as many suspected buckets as fit in memory."""
        suspects = sorted(self.answers.suspects())
        most = max(AT_ONCE * BUCKETS // max(self.answers.checked, 1), 1)
        self.unread = max(len(suspects) - most, 0)
        return set(suspects[:most])

    def _asked(self, buckets: set[int]) -> dict[Fact, bool]:
        """Return what the events say, and whether it lies before the cut."""
        found: dict[Fact, bool] = {}
        for partition, end in sorted(self.sources.ends().items()):
            for before, arrived in Replay(self.sources, self.cut, partition).read(end):
                fact = fact_of(arrived.event)
                if fact is None or bucket_of(fact) not in buckets or not self.answers.counts(fact):
                    continue
                found[fact] = found.get(fact, False) or before
        return found

    def _accuse(self, fact: Fact, other: Fact | None) -> None:
        kind = "missing" if other is None else "altered"
        place = f"request {fact[1]}"
        code, cause = meaning(EVENTS_TOPIC, REQUESTS, kind, place)  # type: ignore[arg-type]
        found = "nothing" if other is None else _say(other)
        self._break("I3" if other is None else "I13", code, fact, _say(fact), found, cause)

    def _orphan(self, fact: Fact) -> None:
        code, cause = meaning(EVENTS_TOPIC, REQUESTS, "orphan")
        self._break("I13", code, fact, "no answer", _say(fact), cause)

    def _twice(self, asked: dict[Fact, bool]) -> None:
        """Accuse requests that had their effect more than once."""
        first: dict[tuple[int, str], Fact] = {}
        for fact in sorted(fact for fact in asked if fact[3] == "done"):
            known = first.setdefault((fact[0], fact[1]), fact)
            if known is not fact:
                cause = "one request key had more than one effect"
                self._break("I4", "PUBLISHED_TWICE", fact, _say(known), _say(fact), cause)

    def _break(
        self, invariant: str, code: str, fact: Fact, expected: str, found: str, cause: str
    ) -> None:
        twice = code == "PUBLISHED_TWICE"
        amount, asset_id = (_amount(fact), fact[5][0][1]) if twice and fact[5] else (0, 0)
        self.breaks.add(
            Break(
                invariant=invariant,
                code=code,
                where=f"request {fact[1]} of user {fact[0]}",
                expected=expected,
                found=found,
                amount=amount,
                asset_id=asset_id,
                user_id=fact[0],
                request_id=fact[1],
                cause=cause,
            )
        )


def _amount(fact: Fact) -> int:
    return sum(effect[3] + effect[4] for effect in fact[5])


def _say(fact: Fact) -> str:
    effects = ", ".join(
        f"{kind} {money(avail or frozen, asset, sign=True)} as seq {seq}"
        for kind, asset, seq, avail, frozen, *_ in fact[5]
    )
    return f"{fact[3]} {fact[4]}{effects}".strip()
