"""Own: a rejection is shown with the reason of the one before it."""

from scenarios.controls import planted
from system.records import Event, Rejected
from system.settlement import Settlement
from system.settlement.ledger import Lane, Ledger, decision


class _MixesUp(Ledger):
    last: object = "overflow"

    def request_lane(self, events: list[Event]) -> Lane:
        """Write what was decided, and why something else was rejected."""
        for event in events:
            kind, reason, *rest = decision(event)
            if isinstance(event, Rejected) and kind == "rejected":
                reason, self.last = self.last, reason
            key = event.user_id, event.request_id, event.body_hash
            yield self.insert_request, (*key, kind, reason, *rest)


class ShowsTheWrongReason(Settlement):
    """A reason is a reason."""

    def make_ledger(self, connection: object) -> Ledger:
        """Return a ledger that mixes up reasons."""
        return _MixesUp(connection, self.work.accounts_max)  # type: ignore[arg-type]


scenario = planted(__name__, __doc__ or "", "settlement", "ShowsTheWrongReason", "I13")
