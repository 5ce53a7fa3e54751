"""The OpenAPI document agrees with what runs: a short fuzz of every operation."""

from tests.system.gateway.fuzz import fuzz


def test_no_drawn_request_gets_a_5xx_or_an_undocumented_answer() -> None:
    answered = fuzz(12, derandomize=True)

    operations = {label for label, _ in answered}
    succeeded = {label for label, status in answered if status < 300}
    refused = {label for label, status in answered if 400 <= status < 500}
    assert len(operations) == 12
    assert operations - succeeded <= {"GET /requests/{request_id}", "POST /orders"}
    assert operations - refused == {"GET /healthz", "GET /readyz", "GET /metrics"}
