"""What a Kafka client hears of its brokers while it waits: the reason that a time-out is silent of.

librdkafka tries again until its time is up, and tells an ``error_cb`` about each attempt in words
that differ only in milliseconds. No number of attempts makes a wrong password right, so somebody
who waits may stop at the first of those.
"""

import re
import time
from typing import Any

from confluent_kafka import KafkaError, KafkaException

_TIMES = re.compile(r" \(after \d+ms in state \w+\)(?:: .*)?| \(after \d+ms\)")
_FOREIGN = re.compile(r"Receive failed: Invalid response size.*")
_COUNTS = re.compile(r"\d+/\d+ brokers are down")
_VAIN = (KafkaError._AUTHENTICATION, KafkaError._SSL)  # noqa: SLF001 - how the library exports them
_FIRST_STEP_S = 0.5
_LAST_WORDS_S = 0.1


class Heard:
    """An ``error_cb`` that remembers each kind of trouble once.

    `protocol` is the client's ``security.protocol``.
    """

    def __init__(self, protocol: str) -> None:
        self._protocol = protocol
        self._said: dict[str, None] = {}
        self.vain = False  # whether more attempts cannot help: credentials, certificates

    def __call__(self, error: KafkaError) -> None:
        """Take in what the client says."""
        self.vain = self.vain or error.code() in _VAIN
        text = _FOREIGN.sub("what answers there is no Kafka broker", error.str())
        self._said[_TIMES.sub("", text)] = None

    def words(self, otherwise: str) -> str:
        """Return the reasons, or `otherwise` if nothing was heard but that brokers are away.

        Of a broker that hangs up at once, as it does where it expects TLS, nothing is heard.
        """
        reasons = [text for text in self._said if not _COUNTS.fullmatch(text)]
        doubt = f"{otherwise}; does its listener speak security_protocol = {self._protocol!r}?"
        return "; ".join(reasons) or doubt


def list_topics(client: Any, heard: Heard, timeout_s: float) -> Any:
    """Return the cluster's metadata; raise the client's `KafkaException` if nobody gives it.

    `client` was made with `heard` as its ``error_cb``; it is asked until the time is up, or until
    it was heard that waiting is in vain.
    """
    deadline, step_s = time.monotonic() + timeout_s, _FIRST_STEP_S
    while True:
        left_s = max(deadline - time.monotonic(), _LAST_WORDS_S)
        try:
            return client.list_topics(timeout=min(left_s, step_s))
        except KafkaException:
            client.poll(_LAST_WORDS_S)  # tells `heard` what it has to say
            if heard.vain or left_s <= step_s:
                raise
        step_s *= 2
