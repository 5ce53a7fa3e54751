"""What a mismatch between two neighbouring hops is called, wherever the two were compared."""

from typing import Literal

Kind = Literal["missing", "orphan", "duplicate", "altered", "moved"]

HOPS = (
    "acknowledged",
    "operations topic",
    "decisions log",
    "events topic",
    "ledger rows",
)
ACKNOWLEDGED, OPERATIONS_TOPIC, LOG, EVENTS_TOPIC, LEDGER = HOPS
REQUESTS = "requests"  # what clients are told; beside the ledger, fed by the events topic
ORDERS_TOPIC, OUTPUTS_TOPIC = "orders topic", "engine outputs"
TABLES = "tables of trades and orders"

_MISSING = {
    (ACKNOWLEDGED, OPERATIONS_TOPIC): ("ACK_LOST", "acknowledged, never in Kafka"),
    (OPERATIONS_TOPIC, LOG): ("NOT_DECIDED", "no frame holds {place}"),
    (LOG, EVENTS_TOPIC): (
        "NOT_PUBLISHED",
        "lost between log and events topic: {place} was never published",
    ),
    (EVENTS_TOPIC, LEDGER): (
        "NOT_SETTLED",
        "lost between events topic and ledger: {place} has no row",
    ),
    (EVENTS_TOPIC, REQUESTS): ("NOT_ANSWERED", "clients are not told what {place} decided"),
    (ORDERS_TOPIC, OUTPUTS_TOPIC): ("NOT_MATCHED", "the engine has no output for {place}"),
    (OUTPUTS_TOPIC, LOG): ("NOT_APPLIED", "no frame holds what {place} did"),
}
_OTHERWISE: dict[tuple[str, str], dict[Kind, str]] = {
    (ACKNOWLEDGED, OPERATIONS_TOPIC): {
        "orphan": "no client asked for it",
        "altered": "the record differs from what was acknowledged",
    },
    (OPERATIONS_TOPIC, LOG): {
        "duplicate": "one request was applied more than once",
        "altered": "the log applied what the topic does not say",
    },
    (LOG, EVENTS_TOPIC): {
        "orphan": "published, but not in the durable log",
        "duplicate": "one effect was published as two different events",
        "altered": "published otherwise than it was logged",
    },
    (EVENTS_TOPIC, LEDGER): {
        "orphan": "a row that no event asked for",
        "duplicate": "one event became more than one row",
        "altered": "the row differs from its event",
    },
    (LOG, ORDERS_TOPIC): {
        "orphan": "the engine is told what is not in the durable log",
        "duplicate": "one number has two contents",
        "altered": "the engine is told otherwise than it was logged",
    },
    (ORDERS_TOPIC, OUTPUTS_TOPIC): {
        "orphan": "an output that answers no order",
        "altered": "the output answers another order than this one",
    },
    (OUTPUTS_TOPIC, LOG): {
        "orphan": "the log applied what the engine never did",
        "duplicate": "one output was applied more than once",
        "altered": "the log applied otherwise than the engine says",
    },
    (EVENTS_TOPIC, REQUESTS): {
        "orphan": "an answer that no event gave",
        "altered": "the answer differs from the event",
    },
}


def meaning(before: str, after: str, kind: Kind, place: str = "") -> tuple[str, str]:
    """Return the code of a mismatch and the sentence that says what it means."""
    step = before, after
    if kind == "missing":
        code, cause = _MISSING[step]
        return code, cause.format(place=place)
    causes = _OTHERWISE[step]
    return kind.upper(), causes.get(kind, causes["altered"])
