"""``sometimes`` goals of trading: what a campaign must have seen happen between orders."""

import re
from collections import Counter
from collections.abc import Callable

from reports.evidence import Evidence
from system.records import OUTPUTS

Goal = Callable[[Evidence, dict[str, int]], bool]

_IMPROVED = re.compile(
    rb'"status":"filled","ending":null,"filled":\d+,"remaining":0,'
    rb'"locked_asset_id":\d+,"paid":\d+,"unlocked":[1-9]'
)


def _outputs(evidence: Evidence) -> list[bytes]:
    return [record.value or b"" for record in evidence.records if record.topic == OUTPUTS]


def partial_fill(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether an order was filled in part and stood on."""
    return any(b'"trade_id"' in x and b'"status":"open"' in x for x in _outputs(evidence))


def self_trade(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether somebody met an order of their own."""
    return any(b'"ending":"self_trade"' in x for x in _outputs(evidence))


def cancel_too_late(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether a cancel that UBSCore let through found nothing left."""
    return any(b'"outcome":"order_closed"' in x for x in _outputs(evidence))


def cancel_in_time(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether a cancel took the rest of an order out of the book."""
    return any(b'"outcome":"cancelled"' in x for x in _outputs(evidence))


def ioc_rest(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether the rest of an order was cancelled at once."""
    return any(b'"ending":"ioc"' in x for x in _outputs(evidence))


def improved(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether an order was filled below its limit and the difference released."""
    return any(_IMPROVED.search(x) for x in _outputs(evidence))


def output_twice(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether an output was published more than once."""
    return any(count > 1 for count in Counter(_outputs(evidence)).values())


def order_rejected(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether an order was rejected."""
    orders = {(op.user_id, op.request_id) for op in evidence.operations if op.kind == "place_order"}
    return any(
        row.decision == "rejected" and (row.user_id, row.request_id) in orders
        for row in evidence.requests
    )


def expired(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether a retry came after its key was forgotten, and was refused."""
    return any(row.expired and row.decision == "done" for row in evidence.requests)


def overloaded(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether a client was told to come back later."""
    return any(attempt.status == 429 for op in evidence.operations for attempt in op.attempts)


def restored(program: str, evidence: Evidence) -> bool:
    """Say whether a program came up from a snapshot."""
    return any(
        line.process.startswith(program) and '"event":"restored"' in line.text
        for line in evidence.lines
    )


def refused_format(evidence: Evidence, _: dict[str, int]) -> bool:
    """Say whether an order was refused because not all programs could read it yet."""
    reasons = {attempt.reason for op in evidence.operations for attempt in op.attempts}
    return "format_version" in reasons


def halted(program: str, *reasons: str) -> Goal:
    """Return a goal: a program stopped for one of these reasons."""

    def seen(evidence: Evidence, _: dict[str, int]) -> bool:
        return any(
            event.kind == "halted" and event.process.startswith(program) and event.reason in reasons
            for event in evidence.processes
        )

    return seen
