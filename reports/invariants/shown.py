"""What users are shown of orders and trades, against the engine's outputs: a part of I9."""

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from reports.breaks import Break
from reports.case import Case
from reports.evidence import Record
from reports.shown import Key, key_of, rows_of, told
from reports.traffic import Emitted

Outputs = Mapping[int, Mapping[int, Emitted]]  # by symbol and output_seq: the first record


class _Expected:
    """Every row that the outputs call for, by key, with the output that it is from.

    An order has one row, which each of its outputs writes anew: any of them may be the last that
    was settled, and the last of all is what is due.
    """

    def __init__(self, outputs: Outputs) -> None:
        self.rows: dict[Key, list[tuple[Record, Emitted]]] = {}
        for _, there in sorted(outputs.items()):
            for _, emitted in sorted(there.items()):
                for row in rows_of(emitted.output):
                    self.rows.setdefault(key_of(row), []).append((row, emitted))


def shown(case: Case, outputs: Outputs) -> Iterator[Break]:
    """Yield rows of orders and trades that no output calls for, and those that are missing."""
    expected = _Expected(outputs).rows
    evidence = case.evidence
    found: dict[Key, Record] = {}
    for seen in (*evidence.trades, *evidence.sides, *evidence.orders):
        row = replace(seen, durable_ns=None)
        key = key_of(row)
        found[key] = row
        wanted = expected.get(key, [])
        if all(row != each for each, _ in wanted):
            yield _broken("ROW_NOT_THE_ENGINES", key, wanted[-1][0] if wanted else None, row)
    if case.settled and not case.forgive("settlement", "engine"):
        for key, wanted in expected.items():
            last, emitted = wanted[-1]
            row_found = found.get(key)
            stale = row_found != last and any(row_found == each for each, _ in wanted)
            if row_found is None or stale:
                yield _broken("NOT_SETTLED", key, last, row_found, emitted)


def _broken(
    code: str, key: Key, expected: Record | None, found: Record | None, of: Emitted | None = None
) -> Break:
    table, *at = key
    wanted, there = told(expected, found)
    output = of.output if of is not None else None
    return Break(
        invariant="I9",
        code=code,
        where=f"{table}, {', '.join(map(str, at))}" + (f" ({of.place})" if of else ""),
        expected=wanted,
        found=there,
        user_id=output.user_id if output is not None else 0,
        request_id=output.request_id if output is not None else "",
        at_ns=of.at_ns if of is not None else None,
        cause="what users are shown of orders and trades is not what the engine did",
    )
