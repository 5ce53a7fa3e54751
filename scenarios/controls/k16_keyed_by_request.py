"""K16: the partition key is the request, not the account."""

import asyncio

from confluent_kafka import KafkaError

from scenarios.controls import planted
from system.gateway import Gateway
from system.gateway.outgoing import Headers, Outgoing
from system.records import decode_operation


class _Spread(Outgoing):
    def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> asyncio.Future[KafkaError | None]:
        """Send a record under its request."""
        assert key
        return super().send(topic, decode_operation(value).request_id.encode(), value, headers)


class SpreadsLoad(Gateway):
    """All partitions shall have the same load."""

    def make_outgoing(self, loop: asyncio.AbstractEventLoop) -> Outgoing:
        """Return a producer that spreads records."""
        return _Spread(self.producer_settings(), loop, self.producer_failed)


scenario = planted(__name__, __doc__ or "", "gateway", "SpreadsLoad", "I18")
