"""Questions: balances, ledger pages and answers about requests, only to whom they concern."""

import json

import pytest

from system.effects import Effect, encode
from system.settlement import ledger
from tests.system.gateway.asking import OPERATOR, USER, Front, new_key, transfer


def settled(rows: int = 3) -> Front:
    front = Front()
    for seq in range(1, rows + 1):
        cells = (seq, 5, 0, 5 * seq, 0, "deposit", f"key-{seq}", 1_000 + seq)
        front.tables.send(ledger.INSERT_ROW, (1001, 1, *cells))
    front.tables.send(ledger.INSERT_ASSET, (1001, 1))
    return front


def test_a_balance_is_the_newest_rows() -> None:
    answer = settled().get("/balances/1001", key=USER)

    assert answer.json == {
        "user_id": 1001,
        "balances": [
            {"asset": "BTC", "avail": "0.00000015", "frozen": "0.00000000", "seq": 3},
        ],
    }


def test_a_user_without_rows_has_no_balances() -> None:
    assert Front().get("/balances/1002").json == {"user_id": 1002, "balances": []}


def test_the_ledger_is_read_page_by_page_newest_first() -> None:
    front = settled(rows=5)

    seen, before = [], ""
    while before is not None:
        page = front.get(f"/ledger/1001/BTC?limit=2&before={before}", key=USER).json
        seen += [row["seq"] for row in page["rows"]]
        before = page["next_before"]

    assert seen == [5, 4, 3, 2, 1]


def test_a_request_answers_with_its_effects_and_names_bodies_that_came_too_late() -> None:
    front, key = Front(), new_key()
    effect = Effect(
        event_type="deposit",
        asset_id=1,
        seq=1,
        delta_avail=5,
        delta_frozen=0,
        avail=5,
        frozen=0,
    )
    mine, late = (1001, key, "b" * 64), (1001, key, "a" * 64)
    front.tables.send(ledger.INSERT_REQUEST, (*mine, "done", None, encode((effect,)), None, True))
    front.tables.send(
        ledger.INSERT_REQUEST, (*late, "rejected", "request_id_reused", None, None, None)
    )

    answer = front.get(f"/requests/{key}", key=USER).json

    assert (answer["status"], answer["reason"], answer["body_hash"]) == ("done", None, "b" * 64)
    assert answer["effects"][0]["delta_avail"] == "0.00000005"
    assert [one["body_hash"] for one in answer["conflicts"]] == ["a" * 64]


def test_a_request_that_only_expired_is_rejected() -> None:
    front, key = Front(), new_key()
    front.tables.send(ledger.INSERT_REQUEST, (1001, key, "a" * 64, None, None, None, None, True))

    answer = front.get(f"/requests/{key}?user_id=1001").json

    assert (answer["status"], answer["reason"]) == ("rejected", "expired")


def test_a_foreign_account_is_refused() -> None:
    front = settled()

    answers = [
        front.get(path, key=USER)
        for path in (
            "/balances/1002",
            "/ledger/1002/BTC",
            "/balances/1",
            f"/requests/{new_key()}?user_id=1002",
        )
    ]

    assert {(answer.status, answer.json["reason"]) for answer in answers} == {
        (403, "foreign_account")
    }


def test_a_database_that_does_not_answer_is_a_503() -> None:
    front = settled()
    front.tables.fails = lambda _: False

    answer = front.get("/balances/1001")

    assert (answer.status, answer.json["reason"]) == (503, "database_unavailable")


@pytest.mark.parametrize(
    "path",
    ["/balances/1001", "/ledger/1001/BTC", "/orders/1001", "/trades/BTC_USDT", "/requests/{key}"],
)
def test_more_questions_than_may_be_under_way_are_refused_with_a_time_to_come_back(
    path: str,
) -> None:
    front = Front(reading_max=2)
    question = path.format(key=new_key())
    query = "?user_id=1001" if path.startswith("/requests") else ""
    head = {"authorization": f"Bearer {OPERATOR}"}

    answers = front.together(*[("GET", question + query, b"", head) for _ in range(4)])

    assert [answer.status == 429 for answer in answers] == [False, False, True, True]
    assert (answers[3].json["reason"], answers[3].headers["retry-after"]) == ("overloaded", "1")
    assert front.gateway.reading.inside == 0
    assert front.get(question + query).status != 429


def test_questions_leave_room_for_commands() -> None:
    front = Front(reading_max=1)
    front.gateway.reading.inside = 1

    assert front.get("/balances/1001").status == 429
    assert front.post("/transfer_in", transfer()).status == 202


def test_health_metrics_and_description_need_no_key() -> None:
    front = settled()
    front.get("/balances/1001")

    health, metrics, description = (
        front.ask("GET", path) for path in ("/healthz", "/metrics", "/openapi.json")
    )

    assert health.json == {"status": "ok"}
    assert b'gateway_requests_total{method="GET",route="balances",status="200"} 1.0' in metrics.body
    document = json.loads(description.body)
    body = document["paths"]["/transfer_in"]["post"]["requestBody"]["content"]["application/json"]
    assert body["schema"] == {"$ref": "#/components/schemas/TransferBody"}
    required = document["components"]["schemas"]["TransferBody"]["required"]
    assert set(required) == {"request_id", "user_id", "asset", "amount"}
