"""The OpenAPI document: what the routes are, from the application; what they take and answer.

Bodies are read by the routes themselves, and refusals are exceptions, so the framework knows
neither; this adds them. Every answer that can come is in it.
"""

from typing import Any

import msgspec

from system import assets, symbols
from system.gateway import shapes
from system.gateway.inputs import CancelBody, OrderBody, TransferBody


def _decimal(whole: int, digits: int) -> dict[str, Any]:
    return {
        "type": "string",
        "pattern": rf"^(0|[1-9][0-9]{{0,{whole - 1}}})(\.[0-9]{{1,{digits}}})?$",
    }


_ASSETS, _SYMBOLS = assets.ASSETS, symbols.SYMBOLS
_AMOUNT = _decimal(11, max(asset.decimals for asset in _ASSETS))
_PRICE = _decimal(8, max(symbol.price_digits for symbol in _SYMBOLS))
_QUANTITY = _decimal(7, max(symbol.base.lot_digits for symbol in _SYMBOLS))
_HEX = "[0-9a-fA-F]"
_REQUEST_ID = {
    "type": "string",
    "pattern": f"^{_HEX}{{8}}-{_HEX}{{4}}-7{_HEX}{{3}}-[89abAB]{_HEX}{{3}}-{_HEX}{{12}}$",
}
_NUMBER = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}
_ASSET = {"type": "string", "enum": list(assets.BY_NAME)}
_SYMBOL = {"type": "string", "enum": list(symbols.BY_NAME)}

# What msgspec cannot know, because the programs check it with reasons of their own.
_FIELDS: dict[str, dict[str, Any]] = {
    "request_id": _REQUEST_ID,
    "asset": _ASSET,
    "amount": _AMOUNT,
    "symbol": _SYMBOL,
    "side": {"type": "string", "enum": ["buy", "sell"]},
    "type": {"type": "string", "enum": ["limit", "market"]},
    "time_in_force": {"type": ["string", "null"], "enum": ["gtc", "ioc", None]},
    "price": _PRICE,
    "quantity": _QUANTITY,
}
_PARAMETERS: dict[tuple[str, str], dict[str, Any]] = {
    ("delete", "id"): {"type": "string", "pattern": "^[0-9a-fA-F]{32}$"},
    ("get", "id"): _NUMBER,
    ("get", "user_id"): _NUMBER,
    ("get", "request_id"): _REQUEST_ID,
    ("get", "asset"): _ASSET,
    ("get", "symbol"): _SYMBOL,
    ("get", "limit"): {"type": "string", "pattern": "^([1-9][0-9]?|[1-4][0-9][0-9]|500)$"},
}

_REFUSALS = {
    400: "Bad input; `reason` says what is wrong, and nothing was published.",
    401: "No key, or an unknown one.",
    403: "Another user's account, or for operators only.",
    404: "No such route; of a request: not settled yet, or never received.",
    405: "The route has other methods.",
    409: "The request id was used for another body.",
    413: "The body is too long.",
    429: "Too much is under way: nothing was published, repeat after Retry-After seconds.",
    500: "An error of ours; whether the command was published is unknown.",
    503: "Kafka or the database does not answer, or not all programs can read such a command yet"
    " (`format_version`); `outcome` says whether anything happened.",
}
_COMMAND = (400, 401, 403, 404, 409, 413, 429, 500, 503)
_QUESTION = (400, 401, 403, 404, 429, 500, 503)

# route -> body, answer, its status, refusals
_ROUTES: dict[tuple[str, str], tuple[Any, Any, int, tuple[int, ...]]] = {
    ("/transfer_in", "post"): (TransferBody, shapes.Accepted, 202, _COMMAND),
    ("/transfer_out", "post"): (TransferBody, shapes.Accepted, 202, _COMMAND),
    ("/orders", "post"): (OrderBody, shapes.AcceptedOrder, 202, _COMMAND),
    ("/orders/{id}", "delete"): (CancelBody, shapes.AcceptedOrder, 202, _COMMAND),
    ("/orders/{id}", "get"): (None, shapes.OrdersPage, 200, _QUESTION),
    ("/trades/{symbol}", "get"): (None, shapes.TradesPage, 200, _QUESTION),
    ("/requests/{request_id}", "get"): (None, shapes.Decision, 200, _QUESTION),
    ("/balances/{user_id}", "get"): (None, shapes.Balances, 200, _QUESTION),
    ("/ledger/{user_id}/{asset}", "get"): (None, shapes.LedgerPage, 200, _QUESTION),
    ("/healthz", "get"): (None, shapes.Health, 200, (500,)),
    ("/readyz", "get"): (None, shapes.Health, 200, (500, 503)),
    ("/metrics", "get"): (None, None, 200, (500,)),
}
_OPEN = ("/healthz", "/readyz", "/metrics")


def complete(document: dict[str, Any]) -> bytes:
    """Return the document as JSON, with every body, parameter and answer of every route."""
    components = _components()
    document["components"] = {
        "schemas": components,
        "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
    }
    described = {(path, method) for path, item in document["paths"].items() for method in item}
    assert described == set(_ROUTES), f"routes without a description: {described ^ set(_ROUTES)}"
    for (path, method), (body, answer, status, refusals) in _ROUTES.items():
        operation = document["paths"][path][method]
        if path not in _OPEN:
            operation["security"] = [{"key": []}]
        if body is not None:
            operation["requestBody"] = {"required": True, **_json(body.__name__)}
        for parameter in operation.get("parameters", ()):
            name = parameter["name"]
            parameter["schema"] = _PARAMETERS.get((method, name), parameter["schema"])
        operation["responses"] = {
            str(status): _answer(answer),
            **{str(code): _refusal(code) for code in refusals},
        }
    return msgspec.json.encode(document)


def _components() -> dict[str, Any]:
    named = [kind for row in _ROUTES.values() for kind in row[:2] if kind is not None]
    _, components = msgspec.json.schema_components(
        [*dict.fromkeys(named), shapes.Refusal], ref_template="#/components/schemas/{name}"
    )
    for body in (TransferBody, OrderBody, CancelBody):
        properties = components[body.__name__]["properties"]
        properties.update({name: _FIELDS[name] for name in properties if name in _FIELDS})
    return components


def _json(name: str) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}}}}


def _answer(shape: Any) -> dict[str, Any]:
    if shape is None:
        text = {"text/plain": {"schema": {"type": "string"}}}
        return {"description": "Metrics in Prometheus' format.", "content": text}
    return {"description": shape.__doc__, **_json(shape.__name__)}


def _refusal(status: int) -> dict[str, Any]:
    headers = {
        401: {"www-authenticate": {"schema": {"type": "string"}, "required": True}},
        429: {"retry-after": {"schema": {"type": "string"}, "required": True}},
    }
    told = {"headers": headers[status]} if status in headers else {}
    return {"description": _REFUSALS[status], **told, **_json("Refusal")}
