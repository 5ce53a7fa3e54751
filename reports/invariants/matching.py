"""Checkers of the matching engine: order end to end, books, chains of outputs."""

from collections.abc import Generator, Iterator, Mapping

from reports.breaks import Break
from reports.case import Case
from reports.invariants.effects import output_name
from reports.invariants.shown import Outputs, shown
from reports.matcher import Expected, Reference
from reports.traffic import Emitted, Passed
from system.records import GENESIS, ORDERS, EngineOutput, sealed


def in_order(case: Case) -> Generator[Break, None, int]:
    """I8: commands are decided and let through in order, and books are the reference matcher's."""
    checked = yield from _decided_in_order(case)
    checked += yield from _passed_in_order(case)
    checked += yield from _as_the_reference(case)
    return checked


def _decided_in_order(case: Case) -> Generator[Break, None, int]:
    checked = 0
    for journal in case.journals:
        last: dict[tuple[str, int], int] = {}
        for step in journal.steps:
            source = step.frame.input
            place = source.topic, source.partition
            checked += 1
            if source.offset <= last.get(place, -1):
                where = f"{step.place}, {source.topic}/{source.partition}@{source.offset}"
                after = f"offset {last[place]} before it"
                yield _disorder("DECIDED_OUT_OF_ORDER", where, "a later offset", after)
            last[place] = max(source.offset, last.get(place, -1))
    return checked


def _passed_in_order(case: Case) -> Generator[Break, None, int]:
    """Compare, per partition and shard, first copies in the topic with the log's numbers."""
    expected: dict[tuple[int, int], int] = {}
    for passed in case.passed:
        record = passed.validated
        place = passed.record.partition, record.shard
        due = expected.setdefault(place, 1)
        if record.n == due:
            expected[place] = due + 1
    for (partition, shard), due in sorted(expected.items()):
        last = max(
            p.validated.n
            for p in case.passed
            if (p.record.partition, p.validated.shard) == (partition, shard)
        )
        if last >= due and case.settled and not case.forgive("ubscore", "engine"):
            where = f"{ORDERS}/{partition}, shard {shard}"
            yield _disorder(
                "HOLE_LEFT", where, f"record {due} in its place", f"records up to {last}"
            )
    return len(case.passed)


def accepted(case: Case) -> dict[int, list[Passed]]:
    """Return, per symbol, the orders and cancels an engine must apply, in their order."""
    expected: dict[tuple[int, int], int] = {}
    found: dict[int, list[Passed]] = {}
    for passed in case.passed:
        record = passed.validated
        place = passed.record.partition, record.shard
        if record.n == expected.get(place, 1):
            expected[place] = record.n + 1
            found.setdefault(record.symbol_id, []).append(passed)
    return found


def first_outputs(case: Case) -> dict[int, dict[int, Emitted]]:
    """Return the first record of each output, by symbol and output_seq."""
    found: dict[int, dict[int, Emitted]] = {}
    for emitted in case.emitted:
        output = emitted.output
        found.setdefault(output.symbol_id, {}).setdefault(output.output_seq, emitted)
    return found


def _as_the_reference(case: Case) -> Generator[Break, None, int]:
    outputs = first_outputs(case)
    checked = 0
    inputs = accepted(case)
    for symbol, passed_on in sorted(inputs.items()):
        reference = Reference(symbol)
        there = outputs.get(symbol, {})
        for number, passed in enumerate(passed_on, 1):
            wanted = reference.apply(passed.validated)
            emitted = there.get(number)
            if emitted is None:
                break  # what is missing is a matter of I9 and I14
            checked += 1
            wrong = _differs(wanted, emitted.output, passed)
            if wrong is not None:
                yield _not_the_reference(emitted, *wrong)
                break  # all that follows differs, too
    for symbol, there in sorted(outputs.items()):
        surplus = [seq for seq in there if seq > len(inputs.get(symbol, ()))]
        if surplus:
            emitted = there[min(surplus)]
            yield _not_the_reference(emitted, "no output: there is no such input", "an output")
    return checked


def _differs(wanted: Expected, output: EngineOutput, passed: Passed) -> tuple[str, str] | None:
    """Return what was expected and what was found instead, if they differ."""
    source = (passed.record.partition, passed.record.offset)
    if (output.source.partition, output.source.offset) != source:
        return f"the answer to {passed.place}", f"one to {output.source}"
    for expected, found in (
        (wanted.outcome, output.outcome),
        (wanted.trades, output.trades),
        (wanted.orders, output.orders),
    ):
        if expected != found:
            return _difference(expected, found)
    return None


def _difference(expected: object, found: object) -> tuple[str, str]:
    if isinstance(expected, tuple) and isinstance(found, tuple) and len(expected) == len(found):
        expected, found = next((e, f) for e, f in zip(expected, found, strict=True) if e != f)
    return str(expected), str(found)


def _not_the_reference(emitted: Emitted, expected: str, found: str) -> Break:
    output = emitted.output
    return Break(
        invariant="I8",
        code="NOT_THE_REFERENCE",
        where=f"{output_name(output)} ({emitted.place})",
        expected=expected,
        found=found,
        user_id=output.user_id,
        request_id=output.request_id,
        at_ns=emitted.at_ns,
        cause="the engine matched otherwise than price, time and the rules say",
    )


def _disorder(code: str, where: str, expected: str, found: str) -> Break:
    return Break(
        invariant="I8",
        code=code,
        where=where,
        expected=expected,
        found=found,
        cause="what came first was not treated first",
    )


def chained(case: Case) -> Generator[Break, None, int]:
    """I9: outputs are 1..n per symbol, each sealed and chained; copies and rows agree with them."""
    outputs = first_outputs(case)
    for emitted in case.emitted:
        first = outputs[emitted.output.symbol_id][emitted.output.output_seq]
        if emitted.record.value != first.record.value:
            yield _broken("TWO_CONTENTS", emitted, f"the bytes of {first.place}", "other bytes")
    for there in outputs.values():
        yield from _chain(there)
    yield from _taken_in(case, outputs)
    yield from _settled(case, outputs)
    yield from shown(case, outputs)
    return len(case.emitted) + len(case.evidence.outputs)


def _chain(there: Mapping[int, Emitted]) -> Iterator[Break]:
    last = GENESIS
    for expected, seq in enumerate(sorted(there), start=1):
        emitted = there[seq]
        output = emitted.output
        if not sealed(output):
            yield _broken("NOT_SEALED", emitted, "the hash of its content", output.hash)
        if seq != expected:
            yield _broken("OUTPUT_MISSING", emitted, f"output {expected}", f"output {seq}")
            return
        if output.previous_hash != last:
            yield _broken("CHAIN_BROKEN", emitted, f"after {last}", f"after {output.previous_hash}")
        last = output.hash


def _taken_in(case: Case, outputs: Outputs) -> Iterator[Break]:
    """Yield the outputs that UBSCore applied out of turn, or other than the engine's own."""
    for journal in case.journals:
        last: dict[int, int] = {}
        for step in journal.applied:
            output = step.output
            if output is None:
                continue
            first = outputs.get(output.symbol_id, {}).get(output.output_seq)
            if output.output_seq <= last.get(output.symbol_id, 0) and first is not None:
                found = f"after output {last[output.symbol_id]}, in {step.place}"
                yield _broken("APPLIED_OUT_OF_TURN", first, "each output once, in turn", found)
            if first is not None and first.record.value != step.frame.value:
                yield _broken("APPLIED_OTHERWISE", first, "these bytes", f"others in {step.place}")
            last[output.symbol_id] = output.output_seq


def _settled(case: Case, outputs: Outputs) -> Iterator[Break]:
    """Yield the rows of the settled log that are not the engine's, and what is missing there."""
    rows: dict[int, set[int]] = {}
    for row in case.evidence.outputs:
        rows.setdefault(row.symbol_id, set()).add(row.output_seq)
        first = outputs.get(row.symbol_id, {}).get(row.output_seq)
        if first is None or first.output.hash != row.hash:
            yield Break(
                invariant="I9",
                code="ROW_NOT_THE_ENGINES",
                where=f"engine_output_log, symbol {row.symbol_id}, output {row.output_seq}",
                expected="no row" if first is None else first.output.hash,
                found=row.hash,
                cause="the settled log is not a prefix of the engine's",
            )
    due = case.settled and not case.forgive("settlement", "engine")
    for symbol, there in sorted(outputs.items()):
        settled = rows.get(symbol, set())
        missing = sorted(seq for seq in there if seq not in settled)
        if missing and (due or missing[0] < max(settled, default=0)):
            first = there[missing[0]]
            yield _broken("NOT_SETTLED", first, "a row in engine_output_log", "none")


def _broken(code: str, emitted: Emitted, expected: str, found: str) -> Break:
    output = emitted.output
    return Break(
        invariant="I9",
        code=code,
        where=f"{output_name(output)} ({emitted.place})",
        expected=expected,
        found=found,
        user_id=output.user_id,
        request_id=output.request_id,
        at_ns=emitted.at_ns,
        cause="the chain of a symbol's outputs does not hold",
    )
