"""The gateway's routes, as one stateless application built once at import.

Which gateway serves a request stands in the request's own scope, so that any number of gateways
can share this application and a new one costs nothing.
"""

from typing import TYPE_CHECKING, Any

from litestar import Litestar, MediaType, Request, Response, delete, get, post
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.openapi import OpenAPIConfig
from litestar.params import FromPath, FromQuery

from system.gateway import openapi as description
from system.gateway.credentials import Caller
from system.gateway.refusals import Refused

if TYPE_CHECKING:
    from system.gateway.program import Gateway

BODY_BYTES_MAX = 4096

_REASONS = {404: "no_such_route", 405: "method_not_allowed", 413: "body_too_long"}

Asked = Request[Any, Any, State]


def _gateway(request: Asked) -> "Gateway":
    gateway: Gateway = request.scope["state"]["gateway"]
    return gateway


def _caller(request: Asked) -> Caller:
    return _gateway(request).credentials.caller(request.headers.get("authorization"))


def _traceparent(request: Asked) -> str | None:
    return request.headers.get("traceparent")


@post("/transfer_in", status_code=202, summary="Credit a user's account")
async def transfer_in(request: Asked) -> dict[str, str]:
    """Publish a deposit; 202 once Kafka has acknowledged it. Operators only."""
    caller, trace = _caller(request), _traceparent(request)
    return await _gateway(request).transfer("transfer_in", caller, await request.body(), trace)


@post("/transfer_out", status_code=202, summary="Debit a user's account")
async def transfer_out(request: Asked) -> dict[str, str]:
    """Publish a withdrawal; 202 once Kafka has acknowledged it. Operators only."""
    caller, trace = _caller(request), _traceparent(request)
    return await _gateway(request).transfer("transfer_out", caller, await request.body(), trace)


@post("/orders", status_code=202, summary="Place an order")
async def place(request: Asked) -> dict[str, str]:
    """Publish an order; 202 once Kafka has acknowledged it. A retry gets the same order id."""
    caller, trace = _caller(request), _traceparent(request)
    return await _gateway(request).place(caller, await request.body(), trace)


@delete("/orders/{id:str}", status_code=202, summary="Cancel an order")
async def cancel(request: Asked, id: FromPath[str]) -> dict[str, str]:
    """Publish a cancel of the order with this id; `/requests` tells how it ended."""
    caller, trace = _caller(request), _traceparent(request)
    return await _gateway(request).cancel(caller, id, await request.body(), trace)


@get("/requests/{request_id:str}", summary="What became of a request")
async def requests(
    request: Asked, request_id: FromPath[str], user_id: FromQuery[str | None] = None
) -> dict[str, Any]:
    """Tell the decision about a request key; operators name the user."""
    caller, gateway = _caller(request), _gateway(request)
    with gateway.reading:
        return await gateway.questions.request(caller, request_id, user_id)


@get("/balances/{user_id:str}", summary="A user's balances")
async def balances(request: Asked, user_id: FromPath[str]) -> dict[str, Any]:
    """Tell the balances of all assets a user has rows for."""
    caller, gateway = _caller(request), _gateway(request)
    with gateway.reading:
        return await gateway.questions.balances(caller, user_id)


@get("/ledger/{user_id:str}/{asset:str}", summary="An account's ledger, newest first")
async def ledger(
    request: Asked,
    user_id: FromPath[str],
    asset: FromPath[str],
    before: FromQuery[str] = "",
    limit: FromQuery[str] = "50",
) -> dict[str, Any]:
    """Tell a page of ledger rows; `next_before` of the answer is `before` of the next page."""
    caller, gateway = _caller(request), _gateway(request)
    with gateway.reading:
        return await gateway.questions.ledger(caller, user_id, asset, before, limit)


@get("/orders/{id:str}", summary="A user's orders, newest first")
async def orders(
    request: Asked, id: FromPath[str], before: FromQuery[str] = "", limit: FromQuery[str] = "50"
) -> dict[str, Any]:
    """Tell a page of the orders of the user with this id; `next_before` leads to the next page."""
    caller, gateway = _caller(request), _gateway(request)
    with gateway.reading:
        return await gateway.questions.orders(caller, id, before, limit)


@get("/trades/{symbol:str}", summary="A symbol's trades, newest first")
async def trades(
    request: Asked, symbol: FromPath[str], before: FromQuery[str] = "", limit: FromQuery[str] = "50"
) -> dict[str, Any]:
    """Tell a page of trades, without whose they are, to anybody with a key."""
    _caller(request)
    gateway = _gateway(request)
    with gateway.reading:
        return await gateway.questions.trades(symbol, before, limit)


@get("/healthz", summary="Whether the process serves")
async def healthz() -> dict[str, str]:
    """Tell that the process serves requests."""
    return {"status": "ok"}


@get("/readyz", summary="Whether Kafka and the database answer")
async def readyz(request: Asked) -> dict[str, str]:
    """Ask Kafka and the database; 503 names the one that does not answer."""
    await _gateway(request).ready()
    return {"status": "ready"}


@get("/metrics", media_type=MediaType.TEXT, summary="Metrics in Prometheus' format")
async def metrics(request: Asked) -> bytes:
    """Tell this gateway's metrics."""
    return _gateway(request).metrics.text()


@get("/openapi.json", include_in_schema=False)
async def openapi() -> Response[bytes]:
    """Tell this description, which was built with the application."""
    return Response(OPENAPI, media_type=MediaType.JSON)


def _refused(request: Asked, refused: Refused) -> Response[dict[str, Any]]:
    _gateway(request).metrics.refused(refused.reason)
    return Response(refused.body(), status_code=refused.status, headers=refused.headers)


def _http_error(_: Asked, error: HTTPException) -> Response[dict[str, Any]]:
    reason = _REASONS.get(error.status_code, "bad_request")
    body = {"reason": reason, "detail": error.detail}
    return Response(body, status_code=error.status_code, headers=error.headers)


def _defect(request: Asked, error: Exception) -> Response[dict[str, Any]]:
    gateway = _gateway(request)
    gateway.log.error("defect", error=repr(error), path=request.scope["path"])
    body = {"reason": "internal", "detail": "an error of ours", "outcome": "unknown"}
    return Response(body, status_code=500)


_HANDLERS = (
    transfer_in,
    transfer_out,
    place,
    cancel,
    requests,
    balances,
    ledger,
    orders,
    trades,
    healthz,
    readyz,
    metrics,
    openapi,
)

APP = Litestar(
    _HANDLERS,
    exception_handlers={Refused: _refused, HTTPException: _http_error, Exception: _defect},
    logging_config=None,
    openapi_config=None,  # it would serve the document of before it was completed, too
    request_max_body_size=BODY_BYTES_MAX,
)

_DESCRIBED = Litestar(
    _HANDLERS,
    logging_config=None,
    openapi_config=OpenAPIConfig(title="Wavetank gateway", version="1"),
)
OPENAPI = description.complete(_DESCRIBED.openapi_schema.to_schema())
