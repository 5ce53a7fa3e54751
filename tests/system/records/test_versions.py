"""Format versions: what version 1 wrote goes on being read, what is newer is told apart."""

import msgspec
import pytest

from system.records import (
    FORMAT_VERSION,
    CancelAccepted,
    CancelEnded,
    Deposit,
    LedgerRow,
    NewerVersion,
    Rejected,
    Withdraw,
    decides,
    decode_event,
    decode_operation,
    encode,
)

DEPOSIT = (
    b'{"type":"deposit","v":1,"user_id":1001,"request_id":"018bcfe5-6800-7000-8000-000000000001",'
    b'"body_hash":"0000000000000000000000000000000000000000000000000000000000000000",'
    b'"asset_id":1,"amount":1000000000000}'
)
ROW = (
    b'{"type":"row","v":1,"shard":1,"epoch":1,"epoch_bits":"0011223344556677","n":1,"user_id":1001,'
    b'"asset_id":1,"seq":1,"delta_avail":5,"delta_frozen":0,"avail":5,"frozen":0,'
    b'"event_type":"deposit","ref_id":"r","request_id":"r","body_hash":"b",'
    b'"created_at":1700000000000}'
)
REJECTED = (
    b'{"type":"rejected","v":1,"shard":1,"epoch":1,"epoch_bits":"0011223344556677","n":2,'
    b'"user_id":1001,"request_id":"r","body_hash":"b","reason":"overflow",'
    b'"created_at":1700000000000}'
)
ACCEPTED = (
    b'{"type":"cancel_accepted","v":2,"shard":1,"epoch":1,"epoch_bits":"0011223344556677","n":3,'
    b'"user_id":1001,"request_id":"r","body_hash":"b","order_id":"o","created_at":1700000000000}'
)
ENDED = (
    b'{"type":"cancel_ended","v":2,"shard":1,"epoch":1,"epoch_bits":"0011223344556677","n":4,'
    b'"user_id":1001,"request_id":"r","body_hash":"b","order_id":"o","outcome":"order_closed",'
    b'"created_at":1700000000000}'
)


@pytest.mark.parametrize(
    ("data", "type_"),
    [(DEPOSIT, Deposit), (DEPOSIT.replace(b'"deposit"', b'"withdraw"'), Withdraw)],
)
def test_transfers_of_version_1_are_read_and_still_written_as_such(
    data: bytes, type_: type
) -> None:
    record = decode_operation(data)

    assert isinstance(record, type_)
    assert encode(record) == data


@pytest.mark.parametrize(("data", "type_"), [(ROW, LedgerRow), (REJECTED, Rejected)])
def test_events_of_version_1_are_read_and_still_written_as_such(data: bytes, type_: type) -> None:
    record = decode_event(data)

    assert isinstance(record, type_)
    assert encode(record) == data


@pytest.mark.parametrize(("data", "type_"), [(ACCEPTED, CancelAccepted), (ENDED, CancelEnded)])
def test_events_about_cancels_came_with_version_2(data: bytes, type_: type) -> None:
    record = decode_event(data)

    assert isinstance(record, type_)
    assert encode(record) == data
    with pytest.raises(msgspec.ValidationError, match=r"`int` >= 2.*v"):
        decode_event(data.replace(b'"v":2', b'"v":1'))


@pytest.mark.parametrize(
    ("data", "answer"),
    [
        (ROW, True),
        (
            ROW.replace(b'"v":1', b'"v":2').replace(
                b'"event_type":"deposit"', b'"event_type":"lock"'
            ),
            True,
        ),
        (
            ROW.replace(b'"v":1', b'"v":2').replace(
                b'"event_type":"deposit"', b'"event_type":"fee"'
            ),
            False,
        ),
        (REJECTED, True),
        (ACCEPTED, True),
        (ENDED, True),
    ],
)
def test_rows_of_an_engine_output_decide_no_request(data: bytes, answer: bool) -> None:
    assert decides(decode_event(data)) is answer


@pytest.mark.parametrize("data", [ROW, REJECTED])
def test_words_of_version_2_need_version_2(data: bytes) -> None:
    new = data.replace(b'"event_type":"deposit"', b'"event_type":"lock"').replace(
        b'"reason":"overflow"', b'"reason":"order_closed"'
    )

    with pytest.raises(msgspec.ValidationError, match="came with format version 2, not 1"):
        decode_event(new)
    assert encode(decode_event(new.replace(b'"v":1', b'"v":2'))) == new.replace(b'"v":1', b'"v":2')


@pytest.mark.parametrize(
    "data",
    [
        DEPOSIT.replace(b'"v":1', b'"v":%d' % (FORMAT_VERSION + 1)),
        b'{"type":"transfer_between","v":%d,"parts":[1,2]}' % (FORMAT_VERSION + 1),
        b'{"v":%d}' % (FORMAT_VERSION + 7),
    ],
)
def test_a_newer_version_is_told_apart_from_damage(data: bytes) -> None:
    with pytest.raises(NewerVersion, match="run the version that wrote it"):
        decode_operation(data)


def test_what_a_deployment_has_not_agreed_on_is_refused_though_it_could_be_read() -> None:
    assert decode_event(ENDED, 2).v == 2
    assert decode_operation(DEPOSIT, 1).v == 1

    with pytest.raises(NewerVersion, match=r"version 2, this deployment has agreed on 1; set for"):
        decode_event(ENDED, 1)


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"{}", b'{"v":9', b"\xff", DEPOSIT.replace(b'"v":1', b'"v":0')]
)
def test_damage_is_not_called_a_newer_version(data: bytes) -> None:
    with pytest.raises((msgspec.DecodeError, UnicodeDecodeError)) as raised:
        decode_operation(data)

    assert not isinstance(raised.value, NewerVersion)
