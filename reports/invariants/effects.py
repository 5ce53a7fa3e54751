"""Checkers of engine outputs as UBSCore took them in: nothing minted, nothing left out."""

from collections import Counter
from collections.abc import Generator, Iterator

from reports.amounts import money
from reports.breaks import Break
from reports.case import Case
from reports.fills import Move, Shards
from reports.journal import Applied
from reports.naming import account_name
from system.records import EngineOutput, LedgerRow


def fills_conserved(case: Case) -> Generator[Break, None, int]:
    """I1: the legs of an output on this shard, and those that other shards owe, cancel out."""
    shards = Shards(case.about.shards, case.about.partitions)
    checked = 0
    for step in case.applied:
        if step.output is None:
            continue
        checked += 1
        sums = shards.split(step.output, step.shard)[1]
        for leg in step.frame.legs:
            sums[leg.asset_id] = sums.get(leg.asset_id, 0) + leg.delta_avail + leg.delta_frozen
        for asset, amount in sorted(sums.items()):
            if amount:
                yield Break(
                    invariant="I1",
                    code="FILL_NOT_CONSERVED",
                    where=f"{step.place}, {output_name(step.output)}",
                    expected="what one gives, another one gets",
                    found=money(amount, asset, sign=True),
                    amount=amount,
                    asset_id=asset,
                    request_id=step.output.request_id,
                    cause="the legs of a fill create or destroy money",
                )
    return checked


def output_name(output: EngineOutput) -> str:
    """Write an engine output for people."""
    return f"output {output.output_seq} of symbol {output.symbol_id}"


def torn_fills(case: Case) -> Generator[Break, None, int]:
    """I16: each output that was taken in has all its legs here; at rest each one was taken in."""
    shards = Shards(case.about.shards, case.about.partitions)
    taken: set[tuple[int, int, int]] = set()
    for step in case.applied:
        if step.output is None:
            continue
        taken.add((step.shard, step.output.symbol_id, step.output.output_seq))
        wanted, _ = shards.split(step.output, step.shard)
        yield from _compare(step, step.output, wanted)
    checked = len(taken)
    if not case.settled or not case.log_readable or case.forgive("ubscore", "engine"):
        return checked
    seen: set[tuple[int, int]] = set()
    for emitted in case.emitted:
        output = emitted.output
        if (output.symbol_id, output.output_seq) in seen:
            continue
        seen.add((output.symbol_id, output.output_seq))
        for journal in case.journals:
            wanted, _ = shards.split(output, journal.shard)
            place = journal.shard, output.symbol_id, output.output_seq
            if wanted and place not in taken:
                yield _left_out(case, output, emitted.place, journal.shard, emitted.at_ns)
        checked += 1
    return checked


def _compare(step: Applied, output: EngineOutput, wanted: Counter[Move]) -> Iterator[Break]:
    rows = [event for event in step.events if isinstance(event, LedgerRow)]
    legs = [
        (x.event_type, x.user_id, x.asset_id, x.seq, x.avail, x.frozen) for x in step.frame.legs
    ]
    told = [(x.event_type, x.user_id, x.asset_id, x.seq, x.avail, x.frozen) for x in rows]
    if legs != told:
        yield _torn(step, output, f"{len(legs)} legs and their events", f"{len(told)} events")
    found = Counter(
        Move(x.event_type, x.user_id, x.asset_id, x.delta_avail, x.delta_frozen, x.ref_id)
        for x in rows
    )
    for move in (wanted - found).elements():
        yield _torn(step, output, _say(move), "no such leg", move, -1)
    for move in (found - wanted).elements():
        yield _torn(step, output, "no such leg", _say(move), move, 1)


def _say(move: Move) -> str:
    amounts = f"{money(move.delta_avail, move.asset_id, sign=True)} available"
    if move.delta_frozen:
        amounts += f", {money(move.delta_frozen, move.asset_id, sign=True)} frozen"
    account = account_name((move.user_id, move.asset_id))
    return f"{move.event_type} of {move.ref_id} for {account}: {amounts}"


def _torn(
    step: Applied,
    output: EngineOutput,
    expected: str,
    found: str,
    move: Move | None = None,
    sign: int = 0,
) -> Break:
    delta = 0 if move is None else sign * (move.delta_avail + move.delta_frozen)
    return Break(
        invariant="I16",
        code="TORN_FILL",
        where=f"{step.place}, {output_name(output)}",
        expected=expected,
        found=found,
        amount=delta,
        asset_id=0 if move is None else move.asset_id,
        user_id=0 if move is None else move.user_id,
        request_id=output.request_id,
        cause="an engine output was not applied as a whole",
    )


def _left_out(case: Case, output: EngineOutput, place: str, shard: int, at_ns: int) -> Break:
    return Break(
        invariant="I16",
        code="FILL_LEFT_OUT",
        where=f"{output_name(output)} ({place}), shard {shard}",
        expected="a frame with all its legs",
        found="none",
        request_id=output.request_id,
        at_ns=at_ns,
        cause=case.why("ubscore", at_ns),
    )
