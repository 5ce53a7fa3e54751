"""Own: Settlement reads on over offsets at which there is nothing."""

from confluent_kafka import Consumer, TopicPartition

from scenarios.controls import planted
from scenarios.controls._altering import GapsPassedOver
from system.settlement import Settlement


class ReadsOn(Settlement):
    """Offsets are only promised to grow."""

    def assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin at the commits, and go on wherever records do."""
        super().assigned(consumer, partitions)
        self.partitions = {
            place: GapsPassedOver(place, one.offset, one.numbering)
            for place, one in self.partitions.items()
        }


scenario = planted(__name__, __doc__ or "", "settlement", "ReadsOn", "I18", "event_gap")
