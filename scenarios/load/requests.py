"""Requests of a load, drawn from a seeded stream: transfers of many users, each with a key."""

import json
import random
from collections.abc import Callable
from typing import NamedTuple

from scenarios.keys import request_id
from system import assets
from system.records import Deposit, Withdraw, body_hash, encode
from system.topics import key_of

_FIRST_USER = 1001
_OUT = 0.2  # of all transfers, roughly: some exceed what is there and are rejected
_AMOUNT_MAX = 900


class Request(NamedTuple):
    """One transfer, as it goes to the gateway or, already checked, into the operations topic."""

    route: str
    user_id: int
    asset: assets.Asset
    amount: str
    request_id: str

    def body(self) -> bytes:
        """Return what a client sends to the gateway."""
        return json.dumps(
            {
                "request_id": self.request_id,
                "user_id": self.user_id,
                "asset": self.asset.name,
                "amount": self.amount,
            }
        ).encode()

    def record(self) -> tuple[bytes, bytes]:
        """Return key and value of the record that the gateway would make of it."""
        amount = assets.parse(self.amount, self.asset)
        kind = Deposit if self.route == "transfer_in" else Withdraw
        operation = kind(
            user_id=self.user_id,
            request_id=self.request_id,
            body_hash=body_hash(self.route, self.user_id, self.request_id, self.asset.id, amount),
            asset_id=self.asset.id,
            amount=amount,
        )
        return key_of(self.user_id), encode(operation)


class Requests:
    """Draws requests one after the other; `wall_ms` is the clients' clock, for their keys."""

    def __init__(self, users: int, stream: random.Random, wall_ms: Callable[[], int]) -> None:
        self._users = users
        self._stream = stream
        self._wall_ms = wall_ms

    def draw(self) -> Request:
        """Return the next one."""
        draw = self._stream.random
        return Request(
            "transfer_out" if draw() < _OUT else "transfer_in",
            _FIRST_USER + int(draw() * self._users),
            assets.ASSETS[int(draw() * len(assets.ASSETS))],
            f"{1 + int(draw() * _AMOUNT_MAX)}.{int(draw() * 100):02d}",
            request_id(self._wall_ms(), self._stream),
        )
