"""Transfers: what is published, what is answered, and what the client may conclude."""

import json

import pytest
from confluent_kafka import KafkaError, KafkaException

from system.errors import Unreachable
from system.records import OPERATIONS, Deposit, body_hash, decode_operation
from system.settlement import ledger
from tests.system.gateway.asking import OPERATOR, USER, Front, new_key, transfer

TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_transfer_is_published_under_its_user_and_answered_when_acknowledged() -> None:
    front, key = Front(), new_key()

    answer = front.post("/transfer_in", transfer(request_id=key.upper()))

    assert (answer.status, answer.json) == (202, {"request_id": key, "status": "accepted"})
    assert "GMT" in answer.headers["date"]
    (sent,) = front.records.sent
    assert (sent.topic, sent.key) == (OPERATIONS, b"1001")
    assert decode_operation(sent.value) == Deposit(
        user_id=1001,
        request_id=key,
        body_hash=body_hash("transfer_in", 1001, key, 1, 10**12),
        asset_id=1,
        amount=10**12,
    )


@pytest.mark.parametrize("incoming", [TRACE, "", "nonsense"])
def test_every_record_carries_a_trace(incoming: str) -> None:
    front = Front()

    front.ask(
        "POST", "/transfer_in", transfer(), authorization=f"Bearer {OPERATOR}", traceparent=incoming
    )

    ((name, value),) = front.records.sent[0].headers
    assert (name, len(str(value, "ascii"))) == ("traceparent", 55)  # type: ignore[arg-type]
    assert (str(value, "ascii")[:35] == TRACE[:35]) == (incoming == TRACE)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("authorization", "status", "reason"),
    [
        ("", 401, "unauthorized"),
        ("Basic abc", 401, "unauthorized"),
        ("Bearer wrong", 401, "unauthorized"),
        (f"Bearer {USER}", 403, "operator_only"),
    ],
)
def test_only_an_operator_may_transfer(authorization: str, status: int, reason: str) -> None:
    front = Front()
    headers = {"authorization": authorization} if authorization else {}

    answer = front.ask("POST", "/transfer_in", transfer(), **headers)

    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert ("www-authenticate" in answer.headers) == (status == 401)
    assert front.records.sent == []


@pytest.mark.parametrize(
    ("fate", "status", "outcome"),
    [
        (KafkaError(KafkaError._MSG_TIMED_OUT), 503, "unknown"),
        (KafkaError(KafkaError.REQUEST_TIMED_OUT), 503, "unknown"),
        (KafkaError(KafkaError._UNKNOWN_TOPIC), 503, "nothing_happened"),
        (KafkaException(KafkaError(KafkaError._UNKNOWN_PARTITION)), 503, "nothing_happened"),
        (BufferError("Local: Queue full"), 429, None),
    ],
)
def test_a_failure_says_whether_the_outcome_is_known(
    fate: KafkaError | Exception, status: int, outcome: str | None
) -> None:
    front = Front()
    front.records.fate = lambda: fate

    answer = front.post("/transfer_in", transfer())

    assert (answer.status, answer.json.get("outcome")) == (status, outcome)
    assert ("retry-after" in answer.headers) == (status == 429)


def test_more_than_may_be_under_way_is_refused_with_a_time_to_come_back() -> None:
    front = Front(in_flight_max=2)
    front.records.fate = lambda: KafkaError(KafkaError._MSG_TIMED_OUT)
    headers = {"authorization": f"Bearer {OPERATOR}"}
    old = transfer(request_id=new_key(ago_ms=60_000))  # is looked up first, so it takes a while

    answers = front.together(*(("POST", "/transfer_in", old, headers) for _ in range(4)))

    assert [answer.status for answer in answers] == [503, 503, 429, 429]
    assert answers[3].headers["retry-after"] == "1"
    assert front.gateway.commands.inside == 0


def test_a_key_used_for_another_body_is_refused_and_the_same_body_is_not() -> None:
    front, key = Front(), new_key(ago_ms=60_000)
    first = body_hash("transfer_in", 1001, key, 1, 10**12)
    front.tables.send(ledger.INSERT_REQUEST, (1001, key, first, "done", None, "[]", None, None))

    same = front.post("/transfer_in", transfer(request_id=key))
    other = front.post("/transfer_in", transfer(request_id=key, amount="1"))
    out = front.post("/transfer_out", transfer(request_id=key))

    assert same.status == 202
    assert (other.status, other.json["reason"]) == (409, "request_id_reused")
    assert out.status == 409
    assert len(front.records.sent) == 1


def test_a_database_that_is_away_does_not_stop_transfers() -> None:
    front = Front()
    front.tables.fails = lambda _: False

    assert front.post("/transfer_in", transfer(request_id=new_key(ago_ms=60_000))).status == 202


def test_a_producer_that_failed_for_good_ends_the_gateway() -> None:
    front = Front()
    fatal = KafkaError(KafkaError._FATAL, "fenced", fatal=True)
    front.records.fate = lambda: KafkaException(fatal)

    answer = front.post("/transfer_in", transfer())

    assert (answer.status, answer.json["outcome"]) == (503, "nothing_happened")
    assert front.gateway.failure == fatal
    assert front.gateway.stopping
    assert Unreachable.exit_code == 69


def test_requests_on_their_way_when_the_producer_fails_are_told_that_nobody_knows() -> None:
    front = Front()
    fatal = KafkaError(KafkaError._FATAL, "fenced", fatal=True)
    fates = iter((None, KafkaException(fatal)))
    front.records.fate = lambda: next(fates)
    headers = {"authorization": f"Bearer {OPERATOR}"}

    answers = front.together(*(("POST", "/transfer_in", transfer(), headers) for _ in range(2)))

    assert [answer.json["outcome"] for answer in answers] == ["unknown", "nothing_happened"]


def test_a_defect_is_answered_and_logged(capsys: pytest.CaptureFixture[str]) -> None:
    front = Front()
    front.records.fate = lambda: ZeroDivisionError("oops")

    answer = front.post("/transfer_in", transfer())

    assert (answer.status, answer.json["outcome"]) == (500, "unknown")
    assert json.loads(capsys.readouterr().err)["event"] == "defect"
