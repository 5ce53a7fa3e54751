"""What the gateway describes, counts and serves are the same routes."""

import json

from system.gateway.app import APP, OPENAPI
from system.gateway.metrics import Metrics

DOCUMENT = json.loads(OPENAPI)


def served() -> set[tuple[str, str]]:
    """Every route and method of the application, with its parameters as the document has them."""
    found = set()
    for route in APP.routes:
        path = "/".join(
            "{" + part[1:-1].partition(":")[0] + "}" if part.startswith("{") else part
            for part in route.path.split("/")
        )
        for method in getattr(route, "methods", ()):
            found.add((path, method.lower()))
    return found - {(path, "options") for path, _ in found}


def test_the_document_has_every_route_but_its_own() -> None:
    described = {(path, method) for path, item in DOCUMENT["paths"].items() for method in item}

    assert served() - described == {("/openapi.json", "get")}
    assert described <= served()


def test_every_route_is_counted_under_its_name() -> None:
    metrics = Metrics()
    for path, method in served():
        metrics.answered(method.upper(), path, 200, 0.0)

    (family,) = (f for f in metrics.registry.collect() if f.name == "gateway_requests")
    samples = [s for s in family.samples if s.name.endswith("_total")]
    assert "other" not in {label for s in samples for label in s.labels.values()}
    assert sum(sample.value for sample in samples) == len(served())


def test_what_is_no_route_is_counted_together() -> None:
    metrics = Metrics()
    for path in ("/", "/nowhere", "/wp-admin/x", "/%2e"):
        metrics.answered("PATCH", path, 404, 0.0)

    value = metrics.registry.get_sample_value(
        "gateway_requests_total", {"method": "other", "route": "other", "status": "404"}
    )
    assert value == 4
