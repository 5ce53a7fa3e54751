"""A gateway without a network for tests: requests go in as ASGI, records come out in a list."""

import asyncio
import hashlib
import json
import time
import uuid
from collections.abc import Callable
from typing import Any

import msgspec
from confluent_kafka import KafkaError

from system.config import Kafka
from system.database import Scylla
from system.formats import NEWEST, Formats
from system.gateway import Gateway
from system.gateway.config import Config, Http, Key
from system.gateway.outgoing import Headers, Outgoing
from system.gateway.questions import Questions
from tests.system.tables import Tables

OPERATOR, USER = "operator's key", "user 1001's key"


class Sent(msgspec.Struct, frozen=True):
    """A record handed to the producer."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers


class Answered(msgspec.Struct, frozen=True):
    """What the client gets."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Records(Outgoing):
    """Takes records; `fate` decides what becomes of each, None leaves it on its way."""

    def __init__(self) -> None:
        self.sent: list[Sent] = []
        self._waiting = {}
        self.fate: Callable[[], KafkaError | Exception | str | None] = lambda: "delivered"

    def send(
        self, topic: str, key: bytes, value: bytes, headers: Headers
    ) -> asyncio.Future[KafkaError | None]:
        report: asyncio.Future[KafkaError | None] = asyncio.get_running_loop().create_future()
        fate = self.fate()
        if isinstance(fate, Exception):
            raise fate
        self.sent.append(Sent(topic, key, value, headers))
        self._waiting[report] = None
        report.add_done_callback(self._waiting.pop)
        if fate is not None:
            report.set_result(None if isinstance(fate, str) else fate)
        return report


def hashed(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


def config(bootstrap: str = "nowhere:1", *, formats: int = NEWEST, **http: Any) -> Config:
    return Config(
        kafka=Kafka(bootstrap=bootstrap, linger_ms=0, connect_timeout_ms=5_000),
        scylla=Scylla(contact_points=("nowhere",)),
        keys=(
            Key(sha256=hashed(OPERATOR), operator=True),
            Key(sha256=hashed(USER), user_id=1001),
        ),
        gateway=Http(**http),
        formats=Formats(version=formats),
    )


def new_key(ago_ms: int = 0) -> str:
    """Return a UUIDv7 as a client makes it."""
    milliseconds = time.time_ns() // 10**6 - ago_ms
    random = uuid.uuid4().int & (1 << 80) - 1 & ~(0xF << 76) & ~(3 << 62)
    return str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | random))


def transfer(**changes: object) -> bytes:
    """Return the body of a transfer in."""
    body = {"request_id": new_key(), "user_id": 1001, "asset": "BTC", "amount": "10000"}
    return json.dumps({**body, **changes}).encode()


def order(**changes: object) -> bytes:
    """Return the body of an order."""
    body = {
        "request_id": new_key(),
        "user_id": 1001,
        "symbol": "BTC_USDT",
        "side": "buy",
        "type": "limit",
        "price": "50000.00",
        "quantity": "0.5",
    }
    return json.dumps({**body, **changes}).encode()


def cancel(**changes: object) -> bytes:
    """Return the body of a cancel."""
    return json.dumps({"request_id": new_key(), "user_id": 1001, **changes}).encode()


class Front:
    """A gateway and everything behind it."""

    def __init__(self, **http: Any) -> None:
        self.gateway = Gateway(config(**http))
        self.tables = Tables()
        self.records = Records()

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answered:
        """Send one request and return its answer."""
        return self.together((method, path, body, headers))[0]

    def post(self, path: str, body: bytes, key: str = OPERATOR) -> Answered:
        return self.ask("POST", path, body, authorization=f"Bearer {key}")

    def delete(self, path: str, body: bytes, key: str = USER) -> Answered:
        return self.ask("DELETE", path, body, authorization=f"Bearer {key}")

    def get(self, path: str, key: str = OPERATOR) -> Answered:
        return self.ask("GET", path, authorization=f"Bearer {key}")

    def together(self, *requests: tuple[str, str, bytes, dict[str, str]]) -> list[Answered]:
        """Send several requests at once."""

        async def run() -> list[Answered]:
            self.gateway.outgoing = self.records
            self.gateway.reads = self.gateway.make_reads(self.tables, asyncio.get_running_loop())
            self.gateway.questions = Questions(self.gateway.reads)
            return await asyncio.gather(*(self._one(*request) for request in requests))

        return asyncio.run(run())

    async def _one(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answered:
        path, _, query = path.partition("?")
        head = {"host": "gateway", "content-length": str(len(body)), **headers}
        scope: Any = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": query.encode(),
            "headers": [(name.encode(), value.encode()) for name, value in head.items()],
            "client": ("10.0.0.1", 1),
            "server": ("10.0.0.2", 3001),
        }
        messages: list[Any] = []

        async def receive() -> Any:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            messages.append(message)

        await self.gateway(scope, receive, send)
        return Answered(
            messages[0]["status"],
            {name.decode(): value.decode() for name, value in messages[0]["headers"]},
            b"".join(message["body"] for message in messages[1:]),
        )
