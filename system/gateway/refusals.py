"""What the gateway says instead of yes: a status, a reason for machines, a sentence for people."""

from typing import Any


class Refused(Exception):
    """A request is not carried out, or nobody knows whether it will be."""

    def __init__(self, status: int, reason: str, detail: str, **fields: object) -> None:
        super().__init__(f"{reason}: {detail}")
        self.status = status
        self.reason = reason
        self.detail = detail
        self.fields = fields
        self.headers: dict[str, str] = {}

    def body(self) -> dict[str, Any]:
        """Return the answer's JSON."""
        return {"reason": self.reason, "detail": self.detail, **self.fields}


def bad_input(reason: str, detail: str) -> Refused:
    """Return a 400: nothing was published."""
    return Refused(400, reason, detail)


def unauthorized(detail: str) -> Refused:
    """Return a 401 that says how to authenticate."""
    refused = Refused(401, "unauthorized", detail)
    refused.headers["www-authenticate"] = "Bearer"
    return refused


def overloaded(under_way: int, what: str) -> Refused:
    """Return a 429: nothing was published, come back in a second."""
    refused = Refused(429, "overloaded", f"{under_way} {what} are under way; repeat later")
    refused.headers["retry-after"] = "1"
    return refused


def not_agreed(version: int, agreed: int) -> Refused:
    """Return a 503: this cannot be written yet, as not all programs read it yet."""
    refused = Refused(
        503,
        "format_version",
        f"this needs format version {version}, the deployment has agreed on {agreed} so far",
        outcome="nothing_happened",
    )
    refused.headers["retry-after"] = "1"
    return refused


def not_published(detail: str) -> Refused:
    """Return a 503: the record never left; repeating with the same key is right."""
    return Refused(503, "kafka_unavailable", detail, outcome="nothing_happened")


def perhaps_published(detail: str) -> Refused:
    """Return a 503: the record may or may not be in the log; ask, or repeat with the same key."""
    return Refused(503, "kafka_unavailable", detail, outcome="unknown")


def unread(detail: str) -> Refused:
    """Return a 503 for a question that the database did not answer."""
    return Refused(503, "database_unavailable", detail)
