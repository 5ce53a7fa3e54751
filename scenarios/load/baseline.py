"""The baseline: a bare client that inserts the same rows, many at once, and does nothing else.

It writes what Settlement would write for a load's requests, in a keyspace of its own with the
same tables, statements and consistency level. Rows of one partition are not kept in order, and
nothing is read: no program that keeps its promises can be faster than this.
"""

import random
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

from scenarios.backends.base import Ability, Backend
from scenarios.errors import Infrastructure, UsageError
from scenarios.load.requests import Requests
from scenarios.stages.real.preparing import connection
from system import database, effects, schema
from system.assets import BY_NAME
from system.database import QUORUM, UNSET, Database
from system.effects import Effect
from system.errors import Stop
from system.settlement.ledger import INSERT_ASSET, INSERT_REQUEST, INSERT_ROW

SUFFIX = "_baseline"
CONCURRENCY = 128
_HASH = "0" * 64
_CREATED_MS = 1_700_000_000_000
_PATIENCE_S = 30.0

Insert = tuple[int, tuple[object, ...]]  # which statement, and its values


def rows(requests: Requests) -> Iterator[Insert]:
    """Yield the rows that settling `requests` would write, without end."""
    last: dict[tuple[int, int], int] = {}
    while True:
        request = requests.draw()
        key = (request.user_id, BY_NAME[request.terms["asset"]].id)
        seq = last[key] = last.get(key, 0) + 1
        if seq == 1:
            yield 1, key
        change = (10**8, 0, seq * 10**8, 0)
        yield 0, (*key, seq, *change, "deposit", request.request_id, _CREATED_MS)
        effect = effects.encode((_effect(key[1], seq, *change),))
        answer = ("done", UNSET, effect, UNSET, UNSET)
        yield 2, (request.user_id, request.request_id, _HASH, *answer)


def _effect(asset_id: int, seq: int, *change: int) -> Effect:
    delta_avail, delta_frozen, avail, frozen = change
    return Effect(
        event_type="deposit",
        asset_id=asset_id,
        seq=seq,
        delta_avail=delta_avail,
        delta_frozen=delta_frozen,
        avail=avail,
        frozen=frozen,
    )


class Baseline:
    """Measures the rate of bare inserts; a context, because it makes a keyspace and drops it."""

    def __init__(self, backend: Backend, keyspace: str, users: int, seed: int) -> None:
        self.keyspace = f"{keyspace}{SUFFIX}"
        self._scylla = connection(backend, self.keyspace)
        self._replication = min(3, len(backend.nodes))
        self._free = Ability.CREATE in backend.abilities
        self._requests = Requests(users, random.Random(seed), lambda: int(time.time() * 1000))
        self._session: Database
        self._statements: list[Any] = []

    def __enter__(self) -> Self:
        try:
            self._session = database.connect(self._scylla)
        except Stop as stop:
            raise Infrastructure(stop.message) from None
        try:
            self._make_tables()
            texts = (INSERT_ROW, INSERT_ASSET, INSERT_REQUEST)
            self._statements = [self._session.prepare(text, QUORUM) for text in texts]
        except BaseException as error:
            self._session.close()
            if isinstance(error, Stop):
                raise Infrastructure(error.message) from None
            if isinstance(error, database.FAILURES):
                raise Infrastructure(f"no tables for the baseline: {error}") from None
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(*database.FAILURES):
            self._session.execute(f"DROP KEYSPACE IF EXISTS {self.keyspace}")
        self._session.close()

    def _make_tables(self) -> None:
        found = self._session.query(
            "SELECT keyspace_name FROM system_schema.keyspaces"
            f" WHERE keyspace_name = '{self.keyspace}'"
        )
        if found and not self._free:
            raise UsageError(
                f"keyspace {self.keyspace} is there, and --baseline would write into it and drop"
                " it: drop it yourself, or leave --baseline out"
            )
        if found:
            self._session.execute(f"DROP KEYSPACE {self.keyspace}")
        for statement in schema.load(self.keyspace, self._replication):
            self._session.execute(statement)

    def measure(self, lasts_s: float) -> float:
        """Insert for a while; return the acknowledged rows a second."""
        crowd = _Crowd(self._session, self._statements, rows(self._requests), lasts_s)
        return crowd.run()


class _Crowd:
    """A window of statements under way; each answer sends the next."""

    def __init__(
        self, session: Database, statements: list[Any], inserts: Iterator[Insert], lasts_s: float
    ) -> None:
        self._session = session
        self._statements = statements
        self._inserts = inserts
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._until_s = time.monotonic() + lasts_s
        self._lasts_s = lasts_s
        self._under_way = CONCURRENCY
        self._done = 0
        self._trouble: Exception | None = None

    def run(self) -> float:
        for _ in range(CONCURRENCY):
            self._send()
        self._ended.wait(self._lasts_s + _PATIENCE_S)
        if self._trouble is not None:
            raise Infrastructure(f"the baseline's inserts fail: {self._trouble}")
        return self._done / self._lasts_s

    def _send(self) -> None:
        with self._lock:
            which, values = next(self._inserts)
        pending = self._session.send(self._statements[which], values)
        pending.add_callbacks(self._acknowledged, self._failed)

    def _acknowledged(self, _: object) -> None:
        now_s = time.monotonic()
        with self._lock:
            self._done += now_s < self._until_s
        if now_s < self._until_s and self._trouble is None:
            self._send()
        else:
            self._leave()

    def _failed(self, error: Exception) -> None:
        self._trouble = error
        self._leave()

    def _leave(self) -> None:
        with self._lock:
            self._under_way -= 1
            last = not self._under_way
        if last:
            self._ended.set()
