"""Requests of a load, drawn from a seeded stream: transfers of many users, each with a key."""

import json
import random
from collections.abc import Callable, Mapping
from typing import Any, Literal, NamedTuple

import msgspec

from scenarios.keys import request_id
from system import assets
from system.gateway import commands
from system.gateway.inputs import CancelBody, OrderBody, TransferBody
from system.records import Operation, encode
from system.topics import key_of

FIRST_USER = 1001
_OUT = 0.2  # of all transfers, roughly: some exceed what is there and are rejected
_AMOUNT_MAX = 900

Route = Literal["transfer_in", "transfer_out", "orders", "cancel"]


class Request(NamedTuple):
    """What one user wants: as it goes to the gateway or, checked, into the operations topic."""

    route: Route
    user_id: int
    request_id: str
    terms: Mapping[str, Any]  # the rest of the body; of a cancel, whose body has none, its order

    @property
    def method(self) -> str:
        """How it goes to the gateway."""
        return "DELETE" if self.route == "cancel" else "POST"

    @property
    def path(self) -> str:
        """Where it goes to."""
        return f"/orders/{self.terms['order_id']}" if self.route == "cancel" else f"/{self.route}"

    def fields(self) -> dict[str, Any]:
        """Return the body as a client has it."""
        named = {"request_id": self.request_id, "user_id": self.user_id}
        return named if self.route == "cancel" else {**named, **self.terms}

    def body(self) -> bytes:
        """Return what a client sends to the gateway."""
        return json.dumps(self.fields()).encode()

    def record(self) -> tuple[bytes, bytes]:
        """Return key and value of the record that the gateway makes of it."""
        return key_of(self.user_id), encode(self.operation())

    def operation(self) -> Operation:
        """Return the command that the gateway makes of it."""
        fields = self.fields()
        if self.route == "orders":
            return commands.place(msgspec.convert(fields, OrderBody), self.request_id)
        if self.route == "cancel":
            body = msgspec.convert(fields, CancelBody)
            return commands.cancel(self.terms["order_id"], body, self.request_id)
        return commands.transfer(self.route, msgspec.convert(fields, TransferBody), self.request_id)


class Requests:
    """Draws requests one after the other; `wall_ms` is the clients' clock, for their keys."""

    def __init__(self, users: int, stream: random.Random, wall_ms: Callable[[], int]) -> None:
        self.stream = stream
        self._users = users
        self._wall_ms = wall_ms

    def draw(self) -> Request:
        """Return the next one."""
        draw = self.stream.random
        route: Route = "transfer_out" if draw() < _OUT else "transfer_in"
        user_id = self.user()
        asset = assets.ASSETS[int(draw() * len(assets.ASSETS))].name
        amount = f"{1 + int(draw() * _AMOUNT_MAX)}.{int(draw() * 100):02d}"
        return self.request(route, user_id, {"asset": asset, "amount": amount})

    def user(self) -> int:
        """Draw one of the users."""
        return FIRST_USER + int(self.stream.random() * self._users)

    def request(self, route: Route, user_id: int, terms: Mapping[str, Any]) -> Request:
        """Return a request with a new key."""
        return Request(route, user_id, request_id(self._wall_ms(), self.stream), terms)
