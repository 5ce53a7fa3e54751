"""The checker of replays: an input log, played again, gives the same bytes."""

from collections.abc import Generator

import msgspec

from reports.breaks import Break
from reports.case import Case
from reports.invariants.effects import output_name
from reports.invariants.matching import accepted, first_outputs
from reports.traffic import Emitted
from system.chain import Link
from system.engine.matching import Market
from system.errors import Stop
from system.records import (
    ORDERS,
    Source,
    ValidatedOrder,
    decode_operation,
    decode_output,
    decode_validated,
)
from system.ubscore.arrivals import Arrival, OutputArrival
from system.ubscore.decide import decide
from system.ubscore.fills import fill
from system.ubscore.state import State
from system.ubscore.terms import Terms
from system.wal.frames import CommandFrame, EngineFrame
from system.wal.traced import plain


def replays_alike(case: Case) -> Generator[Break, None, int]:
    """I11: the engine over each symbol's accepted input, and UBSCore over its log.

    Times and fees are taken from the frames: they are input, stamped once.
    """
    checked = yield from _shards(case)
    outputs = first_outputs(case)
    for symbol, passed_on in sorted(accepted(case).items()):
        market = Market(symbol)
        there = outputs.get(symbol, {})
        for number, passed in enumerate(passed_on, 1):
            record = passed.record
            source = Source(topic=ORDERS, partition=record.partition, offset=record.offset)
            try:
                value = market.apply(passed.validated, source).value
            except (Stop, msgspec.ValidationError) as error:
                value = str(error).encode()
            emitted = there.get(number)
            if emitted is None:
                break
            checked += 1
            if value != emitted.record.value:
                yield _differs(emitted, value)
                break
    return checked


def _shards(case: Case) -> Generator[Break, None, int]:
    checked = 0
    if not case.log_readable:
        case.forgive("ubscore")  # a log that may stay unread has nothing to replay
    for journal in case.journals:
        state = State()
        for lsn, body in journal.bodies:
            if isinstance(body, CommandFrame | EngineFrame):
                checked += 1
                again = _decided_again(case, journal.shard, state, body)
                if again != plain(body):
                    yield _decided_otherwise(journal.shard, lsn, plain(body), again)
                    break
            try:
                state.apply(lsn, body)
            except Stop:
                break  # a log that contradicts itself is a matter of I7
    return checked


def _decided_again(
    case: Case, shard: int, state: State, frame: CommandFrame | EngineFrame
) -> CommandFrame | EngineFrame | str | None:
    """Return the frame that the same input gives in the same state, or why there is none."""
    shards, partitions = case.about.shards, case.about.partitions
    try:
        if isinstance(frame, EngineFrame):
            terms = Terms(shard, shards, 0, partitions=partitions)
            links = {link.symbol_id: Link(link.output_seq, link.hash) for link in frame.links}
            output = decode_output(frame.value)
            appended_ms = now_ms = frame.created_at
            arrival = OutputArrival(frame.input, frame.value, output, appended_ms, now_ms)
            return fill(state, terms, arrival, links)
        horizon_ms = frame.time_ms - frame.forget_ms
        terms = Terms(shard, shards, horizon_ms, partitions=partitions, **_fees(frame))
        command = Arrival(
            source=frame.input,
            value=frame.command,
            operation=decode_operation(frame.command),
            appended_ms=frame.time_ms,
            now_ms=frame.created_at,
        )
        return decide(state, terms, command)
    except (Stop, msgspec.DecodeError, KeyError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def _fees(frame: CommandFrame) -> dict[str, int]:
    """Return the fees that the frame stamped into its order."""
    for output in frame.outputs:
        if output.topic == ORDERS:
            record = decode_validated(output.value)
            if isinstance(record, ValidatedOrder):
                return {"maker_ppm": record.maker_ppm, "taker_ppm": record.taker_ppm}
    return {}


def _decided_otherwise(shard: int, lsn: int, frame: object, again: object) -> Break:
    names = getattr(frame, "__struct_fields__", ())
    differing = [name for name in names if getattr(frame, name) != getattr(again, name, None)]
    expected, found = again, frame
    if type(frame) is type(again) and differing:
        expected, found = (getattr(one, differing[0]) for one in (again, frame))
    return Break(
        invariant="I11",
        code="FRAME_DIFFERS",
        where=f"frame LSN {lsn} of shard {shard}" + (f", {differing[0]}" if differing else ""),
        expected=str(expected)[:300],
        found=str(found)[:300],
        cause="the same input in the same state gives another frame",
    )


def _differs(emitted: Emitted, value: bytes) -> Break:
    found = emitted.record.value or b""
    at = next(
        (i for i, (a, b) in enumerate(zip(value, found, strict=False)) if a != b),
        min(len(value), len(found)),
    )
    return Break(
        invariant="I11",
        code="REPLAY_DIFFERS",
        where=f"{output_name(emitted.output)} ({emitted.place}), byte {at}",
        expected=value[max(at - 20, 0) : at + 40].decode(errors="replace"),
        found=found[max(at - 20, 0) : at + 40].decode(errors="replace"),
        user_id=emitted.output.user_id,
        request_id=emitted.output.request_id,
        at_ns=emitted.at_ns,
        cause="the same input, played again, gives other bytes",
    )
