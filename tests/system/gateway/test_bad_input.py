"""Bad input is refused with a reason, and nothing is published."""

import json

import pytest

from tests.system.gateway.asking import Front, new_key, transfer

BIGGEST = 2**63 - 1


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        (b"", "not_json", "Input data was truncated"),
        (b"deposit 5 BTC", "not_json", "JSON is malformed: invalid character (byte 0)"),
        (b'{"request_id": "\xff"}', "not_json", "invalid start byte"),
        (transfer(asset="\ud800"), "not_json", "JSON is malformed"),
        (transfer(asset="\0" * 99), "unknown_asset", "is none of BTC"),
        (b"[]", "not_an_object", "Expected `object`, got `array`"),
        (transfer(note="hi"), "unknown_field", "Object contains unknown field `note`"),
        (
            transfer()[:-1] + b', "amount": "2"}',
            "repeated_field",
            "Object contains field `amount` more than once",
        ),
        (b'{"user_id": 1001}', "missing_field", "missing required field `request_id`"),
        (
            transfer(amount=1.5),
            "wrong_type",
            "amount: Expected `str`, got `float`; amounts",
        ),
        (transfer(amount=10), "wrong_type", "amount: Expected `str`, got `int`; amounts, prices"),
        (transfer(user_id=1001.0), "wrong_type", "user_id: Expected `int`, got `float`"),
        (transfer(user_id="1001"), "wrong_type", "user_id: Expected `int`, got `str`"),
        (transfer(user_id=True), "wrong_type", "user_id: Expected `int`, got `bool`"),
        (transfer(user_id=0), "out_of_range", "user_id: Expected `int` >= 1"),
        (transfer(user_id=-1), "out_of_range", "user_id: Expected `int` >= 1"),
        (transfer(user_id=BIGGEST + 1), "out_of_range", "user_id: Expected `int` <="),
        (transfer(asset="DOGE"), "unknown_asset", "'DOGE' is none of BTC, USDT, ETH"),
        (transfer(amount="-5"), "bad_amount", "'-5' is not a decimal like 12.5"),
        (transfer(amount="1e3"), "bad_amount", "'1e3' is not a decimal"),
        (transfer(amount="NaN"), "bad_amount", "'NaN' is not a decimal"),
        (transfer(amount=""), "bad_amount", "'' is not a decimal"),
        (transfer(amount="0"), "not_positive", "the amount must be above zero"),
        (transfer(amount="0.000"), "not_positive", "the amount must be above zero"),
        (transfer(amount="0.0001"), "too_many_digits", "BTC takes at most 3 digits"),
        (transfer(amount="92233720368.548"), "overflow", "at most 92233720368.54775807 BTC fit"),
        (transfer(amount="9" * 60), "overflow", "at most 92233720368.54775807 BTC fit"),
        (transfer(request_id="1"), "bad_request_id", "'1' is not a UUID of version 7"),
        (
            transfer(request_id="6ba7b810-9dad-41d1-80b4-00c04fd430c8"),
            "bad_request_id",
            "is not a UUID of version 7",
        ),
        (transfer(request_id=new_key(-24 * 3_600_000)), "clock_skew", "ms ahead of our clock"),
    ],
)
def test_a_bad_body_is_refused_with_a_reason(body: bytes, reason: str, detail: str) -> None:
    front = Front()

    answer = front.post("/transfer_in", body)

    assert (answer.status, answer.json["reason"]) == (400, reason)
    assert detail in answer.json["detail"]
    assert front.records.sent == []


def test_a_body_that_is_too_long_is_refused_unread() -> None:
    front = Front()

    answer = front.post("/transfer_in", b" " * 4097)

    assert (answer.status, answer.json["reason"]) == (413, "body_too_long")
    assert front.records.sent == []


def test_transfer_out_takes_all_decimals_and_transfer_in_only_lots() -> None:
    front = Front()

    refused = front.post("/transfer_in", transfer(amount="0.00000001"))
    accepted = front.post("/transfer_out", transfer(amount="0.00000001"))

    assert (refused.status, accepted.status) == (400, 202)
    assert json.loads(front.records.sent[0].value)["amount"] == 1


@pytest.mark.parametrize(
    ("path", "status", "reason"),
    [
        ("/balances/x", 400, "bad_user_id"),
        ("/balances/0", 400, "bad_user_id"),
        (f"/balances/{BIGGEST + 1}", 400, "bad_user_id"),
        ("/ledger/1001/DOGE", 400, "unknown_asset"),
        ("/ledger/1001/BTC?limit=501", 400, "bad_limit"),
        ("/ledger/1001/BTC?before=-1", 400, "bad_before"),
        ("/requests/x?user_id=1001", 400, "bad_request_id"),
        ("/requests/01a20dc6-4f27-7cfa-b52c-4279b7491c76", 400, "missing_user_id"),
        ("/requests/01a20dc6-4f27-7ac2-8d8d-e79ebceff1df?user_id=1001", 404, "not_seen"),
        ("/nothing", 404, "no_such_route"),
        ("/transfer_in", 405, "method_not_allowed"),
    ],
)
def test_a_bad_question_is_refused_with_a_reason(path: str, status: int, reason: str) -> None:
    answer = Front().get(path)

    assert (answer.status, answer.json["reason"]) == (status, reason)
