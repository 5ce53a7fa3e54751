"""The auditor: a reader who asks, in the end, for everything that clients can be told."""

from collections.abc import Callable, Iterator
from functools import partial

from scenarios import listings
from scenarios.readers import Reader
from scenarios.workloads import MILLISECOND, SECOND
from system import symbols

_SAMPLE = 3  # requests that were answered, and are asked for all the same
_AGAIN = 500 * MILLISECOND
_PATIENCE = 20 * SECOND  # a gateway may be looking for its database still


def ask(reader: Reader, *, quiescent: bool, traded: bool) -> None:
    """Read every balance, every order and trade if any were, and what nobody was sure of."""
    deadline = reader.clock.now + _PATIENCE
    for question in _questions(reader, quiescent, traded):
        while not question() and reader.clock.now < deadline:
            reader.clock.sleep(_AGAIN)
    reader.connection.hang_up()


def _questions(reader: Reader, quiescent: bool, traded: bool) -> Iterator[Callable[[], bool]]:
    operations = reader.history.operations
    unsure = [op for op in operations if op.outcome == "info"]
    for user in sorted({op.user_id for op in operations}):
        yield partial(reader.read_balance, user, quiescent=quiescent)
        if traded:
            yield partial(listings.orders, reader, user, quiescent=quiescent)
    if traded:
        for symbol in symbols.BY_NAME:
            yield partial(listings.trades, reader, symbol, quiescent=quiescent)
    for op in [*operations[:_SAMPLE], *unsure]:
        yield partial(reader.ask, op.user_id, op.request_id)
