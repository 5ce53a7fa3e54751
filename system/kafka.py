"""What all Kafka clients of the exchange have in common: settings, and who to say is away."""

from typing import Any

from confluent_kafka import KafkaException

from system.config import Kafka
from system.errors import Unreachable
from system.topics import PARTITIONER


def client(kafka: Kafka, name: str) -> dict[str, Any]:
    """Return the settings of any client."""
    return {"bootstrap.servers": kafka.bootstrap, "client.id": name}


def producer(kafka: Kafka, name: str) -> dict[str, Any]:
    """Return the settings of a producer that neither loses, repeats nor reorders."""
    return {
        **client(kafka, name),
        "acks": "all",
        "enable.idempotence": True,
        "linger.ms": kafka.linger_ms,
        "delivery.timeout.ms": kafka.delivery_timeout_ms,
        "partitioner": PARTITIONER,
    }


def consumer(kafka: Kafka, name: str, group: str) -> dict[str, Any]:
    """Return the settings of a consumer that never skips: offsets are placed by the program."""
    return {
        **client(kafka, name),
        "group.id": group,
        "auto.offset.reset": "error",
        "enable.auto.commit": False,
        "enable.auto.offset.store": False,
        "isolation.level": "read_committed",
    }


def metadata(anyone: Any, kafka: Kafka) -> Any:
    """Return the cluster's metadata as a producer, consumer or admin client sees it."""
    try:
        return anyone.list_topics(timeout=kafka.connect_timeout_ms / 1000)
    except KafkaException as error:
        raise Unreachable(
            f"Kafka at {kafka.bootstrap} does not answer within"
            f" {kafka.connect_timeout_ms} ms: {error.args[0].str()}"
        ) from None
