"""The door to Kafka: a stand-in for the C module ``confluent_kafka.cimpl``.

Everything else in the wheel runs unchanged on top of it. The value types are the real ones, but
for `TopicPartition`; `Producer`, `Consumer` and `_AdminClientImpl` act in the simulated world
inside a process and are the real classes outside. `ShareConsumer` is refused inside.
"""

import sys
from types import ModuleType

from sim.doors.kafka.admin import Admin
from sim.doors.kafka.consumer import Consumer
from sim.doors.kafka.partition import TopicPartition
from sim.doors.kafka.producer import Producer
from sim.doors.kafka.share import ShareConsumer
from sim.kafka.client.wheel import real

__all__ = ["MUST_COME_FIRST", "install", "stand_ins"]

_NAME = "confluent_kafka.cimpl"
# Parts of the wheel that subclass what this door replaces.
MUST_COME_FIRST = () if sys.modules.get(_NAME) is not real else (_NAME,)

_REPLACED = {
    "Consumer": Consumer,
    "Producer": Producer,
    "ShareConsumer": ShareConsumer,
    "TopicPartition": TopicPartition,
    "_AdminClientImpl": Admin,
}


def module() -> ModuleType:
    """Return the stand-in module."""
    found = ModuleType(_NAME, real.__doc__)
    for name, value in vars(real).items():
        if name not in {"__name__", "__loader__", "__spec__", "__file__", "__package__"}:
            setattr(found, name, value)
    for name, stand_in in _REPLACED.items():
        setattr(found, name, stand_in)
    found.__package__ = "confluent_kafka"
    return found


def stand_ins() -> dict[str, object]:
    """Put the module in place; nothing else has to be mended."""
    install()
    return {}


def install() -> None:
    """Let every later ``import confluent_kafka`` find the stand-in."""
    if getattr(sys.modules.get(_NAME), "Producer", None) is not Producer:
        sys.modules[_NAME] = module()
