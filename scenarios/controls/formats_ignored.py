"""Own: UBSCore writes frames of the newest format, whatever version the deployment agreed on."""

from confluent_kafka import Message

from scenarios.controls import planted
from system import tracing
from system.ubscore import UBSCore


class WritesTheNewest(UBSCore):
    """Whoever reads this log is of the same release."""

    def context(self, message: Message) -> str:
        """Remember every record's trace context."""
        return tracing.incoming(message)


scenario = planted(__name__, __doc__ or "", "ubscore", "WritesTheNewest", "I14", "upgrade")
