"""The chain of a symbol's outputs: every order in which records can come."""

import random

import pytest
from msgspec.structs import replace

from system.chain import Chain, Link
from system.engine.matching import Market
from system.errors import Halt
from system.holes import Verdict
from system.records import EngineOutput, decode_output, seal
from tests.system.engine.flow import source, stream


def outputs(count: int, symbol_id: int = 1) -> list[EngineOutput]:
    market = Market(symbol_id)
    flow = stream(random.Random(7), count, symbol_id=symbol_id)
    return [
        decode_output(market.apply(record, source(offset)).value)
        for offset, record in enumerate(flow)
    ]


def chain() -> Chain:
    return Chain("engine.outputs[0]", {}, 1000)


def test_outputs_are_applied_in_order_and_dropped_when_they_come_again() -> None:
    one, made = chain(), outputs(5)

    verdicts = [one.judge(output, at, 0) for at, output in enumerate([*made, *made])]

    assert verdicts == [Verdict.APPLY] * 5 + [Verdict.DUPLICATE] * 5
    assert one.links == {1: Link(5, made[-1].hash)}


def test_what_comes_too_early_is_discarded_until_the_hole_is_closed() -> None:
    one, made, other = chain(), outputs(4), outputs(2, symbol_id=2)

    came = [made[0], made[2], other[0], made[3], *made, other[1]]
    verdicts = [one.judge(output, at, 0) for at, output in enumerate(came)]

    apply, beyond = Verdict.APPLY, Verdict.BEYOND
    again = [Verdict.DUPLICATE, apply, apply, apply, apply]
    assert verdicts == [apply, beyond, apply, beyond, *again]
    assert not one.holes


def test_a_hole_that_nobody_closes_halts_after_the_bound() -> None:
    one, made = chain(), outputs(4)
    one.judge(made[0], 0, 0)
    one.judge(made[2], 1, 5000)
    one.judge(made[2], 2, 6000)

    with pytest.raises(Halt, match=r"record_missing.*output 2 of symbol 1 .*offset 1.*output 4"):
        one.judge(made[3], 3, 6001)


def _altered(output: EngineOutput, **fields: object) -> EngineOutput:
    return decode_output(seal(replace(output, hash="", **fields))[0])


def test_an_altered_output_a_second_content_and_a_broken_link_halt() -> None:
    made = outputs(3)

    for came, why in (
        ([replace(made[0], user_id=7)], "its hash is not that of its content"),
        ([made[0], _altered(made[0], user_id=7)], "the one applied before had hash"),
        ([made[0], _altered(made[1], previous_hash="1" * 64)], "it follows 1111"),
    ):
        one = chain()
        for at, output in enumerate(came[:-1]):
            one.judge(output, at, 0)
        with pytest.raises(Halt, match=f"chain_broken.*{why}"):
            one.judge(came[-1], 9, 0)
