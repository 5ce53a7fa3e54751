"""Where outputs and trades stand in the tables: buckets, and numbers that sort by time."""

import re

BUCKET = 10**6  # outputs of a symbol in one database partition
PLACES = 128  # more than an output has trades

_TRADE_ID = re.compile("([1-9][0-9]{0,18})-([1-9][0-9]{0,16})-([1-9][0-9]{0,2})", re.ASCII)


def bucket(output_seq: int) -> int:
    """Return the bucket of an output and its trades."""
    return output_seq // BUCKET


def begins_bucket(output_seq: int) -> bool:
    """Say whether this is the first output of its bucket."""
    return output_seq == 1 or output_seq % BUCKET == 0


def number(output_seq: int, place: int) -> int:
    """Return a trade's number: its place counts 1, 2, 3 ... within its output."""
    assert 1 <= place < PLACES, f"an output has fewer trades than {place}"
    return output_seq * PLACES + place


def number_of(trade_id: str) -> tuple[int, int] | None:
    """Return symbol id and number of a trade id like "1-42-1"; None if it is none."""
    match = _TRADE_ID.fullmatch(trade_id)
    if match is None:
        return None
    symbol_id, output_seq, place = map(int, match.groups())
    return (symbol_id, number(output_seq, place)) if place < PLACES else None


def bucket_of(trade_number: int) -> int:
    """Return the bucket of a trade by its number."""
    return bucket(trade_number // PLACES)
