"""`TopicPartition` behind the door: one's own inside a world, the real one outside."""

from typing import Any

from sim.kafka.client import values
from sim.kafka.client.wheel import real
from sim.process import running


class _Kind(type):
    """Makes the real class where there is no world, and takes both for instances."""

    def __call__(cls, *args: Any, **named: Any) -> Any:
        if cls is TopicPartition and running() is None:
            return real.TopicPartition(*args, **named)
        return super().__call__(*args, **named)

    def __instancecheck__(cls, instance: object) -> bool:
        if cls is TopicPartition and isinstance(
            instance, values.TopicPartition | real.TopicPartition
        ):
            return True
        return super().__instancecheck__(instance)


class TopicPartition(values.TopicPartition, metaclass=_Kind):
    """A topic, a partition of it and an offset there; compares by topic and partition alone."""

    __slots__ = ()


def listed(partitions: Any) -> list[values.TopicPartition]:
    """Check a list of partitions as the C module does: exact types, no subclasses."""
    if not isinstance(partitions, list):
        raise TypeError("requires list of TopicPartition")
    for partition in partitions:
        if type(partition) not in {TopicPartition, values.TopicPartition, real.TopicPartition}:
            raise TypeError(f"expected TopicPartition object, not {type(partition).__name__}")
    return partitions
