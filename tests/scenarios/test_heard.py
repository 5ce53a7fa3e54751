"""What a Kafka client hears while it waits is told once, and ends a wait that is in vain."""

from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from scenarios.heard import Heard, list_topics

SSL, DOWN, TIMED_OUT = -181, -187, -185


class Deaf:
    """A client whose brokers never answer; it tells what was put into its mouth."""

    def __init__(self, heard: Heard, *says: KafkaError) -> None:
        self.heard, self.says = heard, list(says)
        self.asked: list[float] = []

    def list_topics(self, timeout: float) -> Any:
        self.asked.append(timeout)
        raise KafkaException(KafkaError(TIMED_OUT))

    def poll(self, _: float) -> int:
        if self.says:
            self.heard(self.says.pop(0))
        return 0


def test_attempts_that_differ_in_milliseconds_are_one_reason() -> None:
    heard = Heard("PLAINTEXT")
    for ms in (23, 8, 131):
        heard(KafkaError(SSL, f"ssl://b:1/bootstrap: bad (after {ms}ms in state SSL_HANDSHAKE)"))
        heard(KafkaError(DOWN, "1/1 brokers are down"))

    assert heard.words("nothing") == "ssl://b:1/bootstrap: bad"


def test_without_a_reason_the_time_out_is_what_there_is_to_say() -> None:
    heard = Heard("PLAINTEXT")
    heard(KafkaError(DOWN, "0/1 brokers are down"))

    assert heard.words("timed out").startswith("timed out; does its listener speak")


def test_nobody_waits_for_a_certificate_to_become_right() -> None:
    heard = Heard("PLAINTEXT")
    client = Deaf(heard, KafkaError(DOWN, "refused"), KafkaError(SSL, "verify failed"))

    with pytest.raises(KafkaException):
        list_topics(client, heard, 60.0)

    assert client.asked == [0.5, 1.0]


def test_a_silent_broker_is_waited_for_until_the_time_is_up() -> None:
    heard = Heard("PLAINTEXT")
    client = Deaf(heard)

    with pytest.raises(KafkaException):
        list_topics(client, heard, 0.0)

    assert len(client.asked) == 1
