"""K2: a partition without a commit is read from its end on, and what came before is skipped."""

from confluent_kafka import Consumer, TopicPartition

from scenarios.controls import planted
from system import marks
from system.settlement import Settlement


class BeginsAtTheEnd(Settlement):
    """What was there before us is somebody else's: `auto.offset.reset` is ``latest``."""

    def assigned(self, consumer: Consumer, partitions: list[TopicPartition]) -> None:
        """Begin at the commits, or where the log ends."""
        super().assigned(consumer, partitions)
        fresh = [place for place, partition in self.partitions.items() if not partition.offset]
        for place, (_, end) in marks.watermarks(consumer, self.config.kafka, fresh).items():
            found = self.partitions[place]
            found.offset = found.committed = found.read_to = end
        found_at = [TopicPartition(*place, one.offset) for place, one in self.partitions.items()]
        consumer.assign(found_at)


scenario = planted(__name__, __doc__ or "", "settlement", "BeginsAtTheEnd", "I3 I14")
