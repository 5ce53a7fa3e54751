"""K5: the outbox mark advances although the delivery failed."""

from confluent_kafka import KafkaError, Message

from scenarios.controls import planted
from system.outbox import Outbox, Unacknowledged
from system.ubscore import UBSCore


class _TakesAnyReport(Outbox):
    def report(
        self, attempt: int, record: Unacknowledged, error: KafkaError | None, message: Message
    ) -> None:
        """Count every report as good news."""
        offset = message.offset() if error is None else None
        self.confirmed(record, -1 if offset is None else offset)
        assert attempt


class IgnoresErrors(UBSCore):
    """Takes every delivery report for a delivery."""

    outbox_type = _TakesAnyReport


scenario = planted(
    __name__, __doc__ or "", "ubscore", "IgnoresErrors", "I3 I14", "failed_deliveries"
)
