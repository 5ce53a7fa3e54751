"""Requests that nobody thought of, drawn from the OpenAPI document, against a served gateway.

`python -m tests.system.gateway.fuzz 2000` sends so many to each operation; `... 12 same` the same
twelve each time.
"""

import sys
from collections import Counter
from contextlib import suppress
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from system.gateway import inputs
from system.gateway.refusals import Refused
from tests.system.gateway.asking import OPERATOR, USER, new_key
from tests.system.gateway.served import serving

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
KEYS = (OPERATOR, OPERATOR, USER, "nobody's")


def fuzz(examples: int, *, derandomize: bool) -> Counter[tuple[str, int]]:
    """Send `examples` requests to each operation; return how often each was answered how."""
    answered: Counter[tuple[str, int]] = Counter()
    with serving() as gateway:
        schema = schemathesis.openapi.from_url(f"http://127.0.0.1:{gateway.http.port}/openapi.json")
        schema.config.generation.update(modes=list(GenerationMode))
        found: Any
        for found in schema.get_all_operations():
            _drive(found.ok(), examples, answered, derandomize=derandomize)
    return answered


def _drive(
    operation: Any, examples: int, answered: Counter[tuple[str, int]], *, derandomize: bool
) -> None:
    turn = iter(range(sys.maxsize))

    @settings(
        max_examples=examples,
        derandomize=derandomize,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def send(case: Any) -> None:
        key = KEYS[next(turn) % len(KEYS)]
        _refresh(case)
        response = case.call_and_validate(checks=CHECKS, headers={"authorization": f"Bearer {key}"})
        answered[operation.label, response.status_code] += 1

    send()


def _refresh(case: Any) -> None:
    """Give a well-formed request id the time of day: most drawn ones lie in the future."""
    body = case.body
    if isinstance(body, dict) and isinstance(found := body.get("request_id"), str):
        with suppress(Refused):
            inputs.request_id(found)
            body["request_id"] = new_key()


if __name__ == "__main__":
    found = fuzz(
        int(sys.argv[1]) if len(sys.argv) > 1 else 1_000, derandomize=sys.argv[2:] == ["same"]
    )
    for (label, status), count in sorted(found.items()):
        print(f"{label:32} {status} {count:8,}")
