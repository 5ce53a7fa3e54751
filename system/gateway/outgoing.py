"""The gateway's producer: a record is sent when Kafka has acknowledged it, not before.

Delivery reports come only to whoever polls, so a thread does nothing else; it hands the results
to the event loop. No client of the gateway is answered without one.
"""

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from confluent_kafka import KafkaError, KafkaException, Message, Producer

POLL_S = 1.0  # poll returns at once when there is something; this bounds how long a stop takes

Headers = list[tuple[str, str | bytes | None]]
_Report = tuple[asyncio.Future[KafkaError | None], KafkaError | None]


class Outgoing:
    """Sends records and waits for their delivery reports."""

    def __init__(
        self,
        settings: dict[str, Any],
        loop: asyncio.AbstractEventLoop,
        failed: Callable[[KafkaError], None],
    ) -> None:
        self.producer = Producer(settings)
        self._loop = loop
        self._failed = failed  # called in the loop when the producer can never send again
        self._reports: list[_Report] = []
        self._waiting: dict[asyncio.Future[KafkaError | None], None] = {}  # in order of sending
        self._closing = False
        self._thread = threading.Thread(target=self._serve, name="deliveries", daemon=True)

    def start(self) -> None:
        """Start serving delivery reports."""
        self._thread.start()

    def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> asyncio.Future[KafkaError | None]:
        """Hand a record to the client library; the future ends with its delivery report.

        Raises BufferError or KafkaException if the library does not take it: nothing happened.
        """
        report: asyncio.Future[KafkaError | None] = self._loop.create_future()
        self.producer.produce(
            topic,
            value=value,
            key=key,
            headers=headers,
            callback=partial(self._delivered, report),
        )
        self._waiting[report] = None
        report.add_done_callback(self._waiting.pop)
        return report

    def abandon(self, error: KafkaError) -> None:
        """Give up waiting: nobody will ever know what became of the records on their way."""
        _finish([(report, error) for report in self._waiting])

    def close(self, timeout_s: float) -> int:
        """Wait for what is still on its way; return how many records stay unknown."""
        self._closing = True
        self._thread.join(POLL_S + timeout_s)
        try:
            left = self.producer.flush(timeout_s)
        except KafkaException:  # it failed for good, and said so before
            left = len(self.producer)
        self._hand_over()
        return left

    def _serve(self) -> None:
        while not self._closing:
            try:
                self.producer.poll(POLL_S)
            except KafkaException as error:
                self._loop.call_soon_threadsafe(self._failed, error.args[0])
                return
            self._hand_over()

    def _delivered(
        self,
        report: asyncio.Future[KafkaError | None],
        error: KafkaError | None,
        _message: Message,
    ) -> None:
        self._reports.append((report, error))

    def _hand_over(self) -> None:
        if self._reports:
            reports, self._reports = self._reports, []
            self._loop.call_soon_threadsafe(_finish, reports)


def _finish(reports: list[_Report]) -> None:
    for report, error in reports:
        if not report.done():
            report.set_result(error)
