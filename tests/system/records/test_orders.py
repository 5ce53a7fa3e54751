"""Records about orders: their bytes are canonical, and their claims are checked when read."""

import hashlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.records import (
    EngineOutput,
    Operation,
    PlaceOrder,
    Validated,
    ValidatedOrder,
    body_hash,
    decode_operation,
    decode_output,
    decode_validated,
    encode,
    order_id,
    seal,
    sealed,
)
from tests.system.records import samples


@given(samples.operations)
def test_an_operation_comes_back_as_it_was_and_has_one_form(operation: Operation) -> None:
    data = encode(operation)

    assert decode_operation(data) == operation
    assert encode(decode_operation(data)) == data
    assert json.loads(data)["v"] == 2


@given(samples.validated)
def test_a_validated_record_comes_back_as_it_was(record: Validated) -> None:
    data = encode(record)

    assert decode_validated(data) == record
    assert encode(decode_validated(data)) == data


@given(samples.outputs)
def test_an_output_is_sealed_by_the_hash_of_its_other_fields(output: EngineOutput) -> None:
    data, digest = seal(output)
    back = decode_output(data)

    assert sealed(back)
    assert back == msgspec.structs.replace(output, hash=digest)
    assert encode(back) == data
    assert digest == hashlib.sha256(data.replace(digest.encode() + b'"}', b'"}')).hexdigest()


@given(samples.outputs, st.sampled_from(["output_seq", "previous_hash", "created_at"]))
def test_an_altered_output_is_not_sealed(output: EngineOutput, field: str) -> None:
    back = decode_output(seal(output)[0])
    before: Any = getattr(back, field)
    changed = before + 1 if isinstance(before, int) else "f" + before[1:] + "0"

    assert not sealed(msgspec.structs.replace(back, **{field: changed}))


def test_an_order_id_depends_on_user_request_and_body_alone() -> None:
    request = samples.request_id(7)
    digest = body_hash("orders", 1001, request, 1, "buy", "limit", "gtc", 50, 100)

    assert order_id(1001, request, digest) == order_id(1001, request, digest)
    assert len(order_id(1001, request, digest)) == 32
    assert order_id(1002, request, digest) != order_id(1001, request, digest)
    assert order_id(1001, samples.request_id(8), digest) != order_id(1001, request, digest)
    assert order_id(1001, request, "0" * 64) != order_id(1001, request, digest)


def test_the_hash_of_a_transfer_is_what_version_1_made_of_it() -> None:
    request = samples.request_id(1)

    assert (
        body_hash("transfer_in", 1001, request, 1, 5)
        == hashlib.sha256(f"transfer_in\n1001\n{request}\n1\n5".encode()).hexdigest()
    )


def altered(record: Any, **changes: object) -> bytes:
    return json.dumps({**json.loads(encode(record)), **changes}).encode()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"order_id": "0" * 32}, "the order id is not that of"),
        ({"order_id": "0" * 31}, "matching regex"),
        ({"kind": "market", "time_in_force": "gtc"}, "a market order is ioc"),
        ({"v": 1}, ">= 2"),
        ({"side": "hold"}, "Invalid enum value"),
        ({"price": 0}, ">= 1"),
        ({"price": 2**63}, "<= 9223372036854775807"),
        ({"price": 1.5}, "Expected `int`"),
        ({"quantity": -1}, ">= 1"),
        ({"user_id": 0}, ">= 1"),
        ({"request_id": "x"}, "matching regex"),
        ({"note": "hello"}, "unknown field"),
    ],
)
@given(order=samples.placed())
def test_an_order_that_contradicts_itself_is_not_read(
    changes: dict[str, object], why: str, order: PlaceOrder
) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        decode_operation(altered(order, **changes))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"quantity": samples.LOT + 1}, "not a multiple of the lot"),
        ({"quantity": 2 * samples.LOT, "price": 2**62}, "overflows"),
        ({"kind": "market", "time_in_force": "gtc"}, "a market order is ioc"),
        ({"maker_ppm": 1_000_001}, "<= 1000000"),
        ({"taker_ppm": -1}, ">= 0"),
        ({"n": 0}, ">= 1"),
        ({"lot": 0}, ">= 1"),
        ({"v": 1}, ">= 2"),
    ],
)
@given(order=samples.validated_orders())
def test_a_validated_order_that_cannot_be_matched_is_not_read(
    changes: dict[str, object], why: str, order: ValidatedOrder
) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        decode_validated(altered(order, **changes))


@given(samples.validated_orders())
def test_the_largest_cost_that_fits_is_read(order: ValidatedOrder) -> None:
    largest = altered(order, quantity=samples.LOT, price=2**63 - 1)

    assert encode(decode_validated(largest)) != encode(order)
