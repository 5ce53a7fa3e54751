"""What rows of `requests` say, against the events that they are from: a part of I13."""

from collections.abc import Iterator

from reports.breaks import Break
from reports.case import Case
from reports.facts import fact_of, facts_of


def rows_as_decided(case: Case) -> Iterator[Break]:
    """Yield what rows tell clients and no event says: another decision, reason, effect or end."""
    decided = {fact_of(published.event) for published in case.published}
    for row in case.evidence.requests:
        for fact in facts_of(row):
            if fact not in decided:
                yield Break(
                    invariant="I13",
                    code="ANSWER_DIFFERS",
                    where=f"request {row.request_id} of user {row.user_id}, its row in requests",
                    expected="what an event says of it",
                    found=str(fact[3:]),
                    user_id=row.user_id,
                    request_id=row.request_id,
                    at_ns=row.durable_ns,
                    cause="clients are told something that nobody decided",
                )
