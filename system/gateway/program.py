"""The gateway: checks what clients ask, publishes it to Kafka, and reads the ledger for them.

It keeps nothing. 202 means that Kafka has acknowledged the record with all in-sync replicas, so
that it will be decided exactly once; whatever else happens, the client repeats with the same key.
Both Kafka and the database must answer when it starts; later it serves what still works, and
`/readyz` tells.
"""

import asyncio
import time
from typing import Any, ClassVar

from cassandra.policies import RetryPolicy
from confluent_kafka import KafkaError, KafkaException
from litestar.types import Message, Receive, Scope, Send
from opentelemetry.trace import SpanKind

from system import database, exits, kafka, tracing
from system.errors import Unreachable
from system.gateway import answers, commands, config, inputs
from system.gateway.app import APP
from system.gateway.commands import TransferRoute
from system.gateway.credentials import Caller, Credentials
from system.gateway.inputs import Body, CancelBody, OrderBody, TransferBody
from system.gateway.metrics import Metrics
from system.gateway.outgoing import Outgoing
from system.gateway.questions import Questions
from system.gateway.reads import Reads
from system.gateway.refusals import (
    Refused,
    bad_input,
    not_agreed,
    not_published,
    overloaded,
    perhaps_published,
)
from system.gateway.room import Room
from system.http_server import DateHeader, Server
from system.log import Log
from system.records import OPERATIONS, Operation, encode
from system.topics import key_of

MILLISECOND, SECOND = 10**6, 10**9
_FLUSH_S = 1.0  # at a stop, after the grace
_LAST_ANSWERS_MS = 200  # for those whose records stay unknown

# Delivery reports that prove that no broker ever took the record.
_NEVER_SENT = (
    KafkaError._UNKNOWN_TOPIC,  # noqa: SLF001 - the library's name
    KafkaError._UNKNOWN_PARTITION,  # noqa: SLF001
    KafkaError._PURGE_QUEUE,  # noqa: SLF001
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.MSG_SIZE_TOO_LARGE,
)


class Gateway:
    """One running gateway; also the ASGI application that its server calls."""

    name: ClassVar[str] = "gateway"
    Config: ClassVar[type[config.Config]] = config.Config

    def __init__(self, settings: config.Config) -> None:
        self.config = settings
        self.http = settings.gateway
        self.log = Log(self.name)
        self.credentials = Credentials(settings.keys)
        self.metrics = Metrics()
        self.dates = DateHeader()
        self.commands = Room(self.http.in_flight_max, "commands", self.metrics.in_flight)
        self.reading = Room(self.http.reading_max, "questions", self.metrics.reading)
        self.failure: KafkaError | None = None  # the producer can never send again
        self.stopping = False
        self.loop: asyncio.AbstractEventLoop | None = None
        self.stopped: asyncio.Event
        self.outgoing: Outgoing
        self.reads: Reads
        self.questions: Questions

    def run(self) -> int:
        """Serve until stopped."""
        connection = database.connect(self.config.scylla, retry=RetryPolicy())
        try:
            asyncio.run(self.serve(connection))
        finally:
            connection.close()
        if self.failure is not None:
            raise Unreachable(f"the producer failed for good: {self.failure}")
        return exits.OK

    def stop(self) -> None:
        """Take no more requests, answer those under way, and end."""
        self.stopping = True
        if self.loop is not None:
            self.loop.call_soon_threadsafe(self.stopped.set)

    async def serve(self, connection: database.Database) -> None:
        """Open the way to Kafka and the door to clients; close them in the reverse order."""
        loop = asyncio.get_running_loop()
        self.stopped = asyncio.Event()
        self.loop = loop
        self.reads = self.make_reads(connection, loop)
        self.questions = Questions(self.reads)
        self.outgoing = self.make_outgoing(loop)
        self.check_topic()
        self.outgoing.start()
        server = Server(self, self.http.host, self.http.port, "gateway")
        await server.start()
        self.log.info("started", host=self.http.host, port=self.http.port)
        if not self.stopping:
            await self.stopped.wait()
        await server.stop(self.http.grace_ms)
        unknown = self.outgoing.close(_FLUSH_S)
        await asyncio.sleep(0)  # let the last reports arrive
        self.outgoing.abandon(KafkaError(KafkaError._DESTROY))  # noqa: SLF001
        await server.stop(_LAST_ANSWERS_MS)
        self.log.info("drained", unknown=unknown)

    def make_reads(self, connection: database.Database, loop: asyncio.AbstractEventLoop) -> Reads:
        """Return what asks the database."""
        return Reads(connection, loop)

    def make_outgoing(self, loop: asyncio.AbstractEventLoop) -> Outgoing:
        """Return what sends records."""
        return Outgoing(self.producer_settings(), loop, self.producer_failed)

    def producer_settings(self) -> dict[str, Any]:
        """Return the producer's settings; its queue never holds more than may be under way."""
        return {
            **kafka.producer(self.config.kafka, self.name),
            "queue.buffering.max.messages": self.http.in_flight_max,
        }

    def check_topic(self) -> None:
        """Ask Kafka for its topics: it must be there, and set up."""
        topics = kafka.metadata(self.outgoing.producer, self.config.kafka).topics
        if OPERATIONS not in topics:
            raise Unreachable(f"Kafka has no topic {OPERATIONS}; run `python -m system setup`")

    def producer_failed(self, error: KafkaError) -> None:
        """End: a new producer needs a new process, and clients repeat with the same keys."""
        self.failure = error
        self.outgoing.abandon(error)
        self.stop()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        scope.setdefault("state", {})["gateway"] = self

        began_s = time.perf_counter()

        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                took_s = time.perf_counter() - began_s
                method = str(scope.get("method", ""))
                self.metrics.answered(method, scope["path"], message["status"], took_s)
                second = time.time_ns() // SECOND
                message["headers"] = [*message["headers"], self.dates.at(second)]
            await send(message)

        await APP(scope, receive, answer)

    async def transfer(
        self, route: TransferRoute, caller: Caller, raw: bytes, traceparent: str | None
    ) -> dict[str, str]:
        """Publish a transfer; returns when Kafka has acknowledged it."""
        caller.as_operator()
        body = inputs.read_body(TransferBody, raw)
        return await self.submit(commands.transfer(route, body, self.request_id(body)), traceparent)

    async def place(self, caller: Caller, raw: bytes, traceparent: str | None) -> dict[str, str]:
        """Publish an order; the answer holds its id, the same at every attempt."""
        body = inputs.read_body(OrderBody, raw)
        caller.sees(body.user_id)
        operation = commands.place(body, self.request_id(body))
        accepted = await self.submit(operation, traceparent)
        return {**accepted, "order_id": operation.order_id}

    async def cancel(
        self, caller: Caller, order: str, raw: bytes, traceparent: str | None
    ) -> dict[str, str]:
        """Publish a cancel."""
        body = inputs.read_body(CancelBody, raw)
        caller.sees(body.user_id)
        operation = commands.cancel(order, body, self.request_id(body))
        accepted = await self.submit(operation, traceparent)
        return {**accepted, "order_id": operation.order_id}

    async def submit(self, operation: Operation, traceparent: str | None) -> dict[str, str]:
        """Publish a command unless too many are under way; return when Kafka acknowledged it."""
        if operation.v > self.config.formats.version:
            raise not_agreed(operation.v, self.config.formats.version)
        with self.commands:
            await self.check_reuse(operation)
            await self.publish(operation, traceparent)
        return {"request_id": operation.request_id, "status": "accepted"}

    def request_id(self, body: Body) -> str:
        """Return the client's own key for its intention, the same at every attempt."""
        request_id = inputs.request_id(body.request_id)
        ahead_ms = inputs.made_at_ms(request_id) - time.time_ns() // MILLISECOND
        if ahead_ms > self.http.skew_ms_max:
            raise bad_input("clock_skew", f"request_id is {ahead_ms} ms ahead of our clock")
        return request_id

    async def check_reuse(self, operation: Operation) -> None:
        """Refuse a key that was used for another body, if that can be seen cheaply.

        A fresh key cannot be in the database yet, so only old ones are looked up; if the answer
        does not come soon, the order of records in Kafka decides instead.
        """
        age_ms = time.time_ns() // MILLISECOND - inputs.made_at_ms(operation.request_id)
        if age_ms < self.http.look_after_ms:
            return
        try:
            async with asyncio.timeout(self.http.look_ms_max / 1000):
                rows = await self.reads.request(operation.user_id, operation.request_id)
        except (TimeoutError, Refused):
            return
        winner = answers.winner(rows)
        if winner is not None and winner[0] != operation.body_hash:
            raise Refused(
                409,
                "request_id_reused",
                "this request_id was used for another body; a new intention needs a new one",
                body_hash=winner[0],
            )

    async def publish(self, operation: Operation, traceparent: str | None) -> None:
        """Send a command and wait for its delivery report."""
        way = tracing.taking(traceparent, operation.user_id, operation.request_id)
        began_ns, error = tracing.clock(), "not sent"
        try:
            failed = await self.send(operation, way.context)
            error = "" if failed is None else failed.str()
        finally:
            self.record(operation, way, began_ns, error)
        if failed is not None:
            self.log.warning("not_delivered", request_id=operation.request_id, error=failed)
            self.refuse_delivery(failed)

    def record(self, operation: Operation, way: tracing.Way, began_ns: int, error: str) -> None:
        """Record the span of a command's way into Kafka."""
        about = {
            "messaging.system": "kafka",
            "messaging.destination.name": OPERATIONS,
            "wavetank.request_id": operation.request_id,
        }
        name = f"publish {type(operation).__name__}"
        tracing.record("gateway", name, SpanKind.PRODUCER, way, began_ns, about, error or None)

    async def send(self, operation: Operation, traceparent: str) -> KafkaError | None:
        """Hand a command to the producer; return what its delivery report says."""
        sent_s = time.perf_counter()
        try:
            report = self.outgoing.send(
                OPERATIONS,
                key_of(operation.user_id),
                encode(operation),
                [(tracing.HEADER, traceparent.encode())],
            )
        except BufferError:
            raise overloaded(self.commands.inside, "commands") from None
        except KafkaException as error:
            if error.args[0].fatal():
                self.producer_failed(error.args[0])
            raise not_published(f"the record was not sent: {error.args[0].str()}") from None
        failed = await report
        self.metrics.publish.observe(time.perf_counter() - sent_s)
        return failed

    def refuse_delivery(self, error: KafkaError) -> None:
        """Say what is known of a record whose delivery failed."""
        if error.code() in _NEVER_SENT:
            raise not_published(f"Kafka did not take the record: {error.str()}")
        raise perhaps_published(f"Kafka did not acknowledge the record: {error.str()}")

    async def ready(self) -> None:
        """Return if a transfer and a question could be served now; refuse otherwise."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(None, self.check_topic)
        except Unreachable as error:
            raise Refused(503, "kafka_unavailable", error.message) from None
        await self.reads.request(1, "")
