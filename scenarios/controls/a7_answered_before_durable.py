"""A7: a client is answered from memory, as soon as the record is handed over."""

import asyncio

from confluent_kafka import KafkaError

from scenarios.controls import planted
from system.gateway import Gateway
from system.gateway.outgoing import Headers, Outgoing


class _Hopeful(Outgoing):
    def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> asyncio.Future[KafkaError | None]:
        """Send a record, and take it for sent."""
        report = super().send(topic, key, value, headers)
        report.set_result(None)
        return report


class AnswersAtOnce(Gateway):
    """Nobody likes to wait."""

    def make_outgoing(self, loop: asyncio.AbstractEventLoop) -> Outgoing:
        """Return a producer that does not wait for reports."""
        return _Hopeful(self.producer_settings(), loop, self.producer_failed)


scenario = planted(__name__, __doc__ or "", "gateway", "AnswersAtOnce", "I17 I3", "unsent_answers")
