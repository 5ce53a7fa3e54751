"""The auditor: a reader who asks, in the end, for everything that clients can be told."""

from scenarios import listings
from scenarios.readers import Reader
from system import symbols

_SAMPLE = 3  # requests that were answered, and are asked for all the same


def ask(reader: Reader, *, quiescent: bool, traded: bool) -> None:
    """Read every balance, every order and trade if any were, and what nobody was sure of."""
    operations = reader.history.operations
    unsure = [op for op in operations if op.outcome == "info"]
    sample = operations[:_SAMPLE]
    for user in sorted({op.user_id for op in operations}):
        reader.read_balance(user, quiescent=quiescent)
        if traded:
            listings.orders(reader, user, quiescent=quiescent)
    if traded:
        for symbol in symbols.BY_NAME:
            listings.trades(reader, symbol, quiescent=quiescent)
    for op in [*sample, *unsure]:
        reader.ask(op.user_id, op.request_id)
    reader.connection.hang_up()
