"""Listings: what a client is shown of orders and trades, page by page, newest first.

Numbers are taken as integers, as they stand inside: a digit too few or too many is another number.
"""

from collections.abc import Iterator
from typing import Any

from reports.evidence import Listing, ShownOrder, ShownTrade
from scenarios.readers import Reader, raw
from scenarios.workloads import SECOND
from system import assets, symbols

PAGES = (3, 40)  # rows of a page: one of these
_PATIENCE = 12 * SECOND


def look(client: Reader, what: str, user_id: int) -> None:
    """Look at a user's balances or orders, or at the newest trades of the symbol `what`."""
    if what == "balances":
        client.read_balance(user_id)
    elif what == "orders":
        orders(client, user_id)
    else:
        trades(client, what, pages=2)


def orders(client: Reader, user_id: int, *, quiescent: bool = False) -> bool:
    """Read a user's orders to the end; false if there was no proper answer."""
    path = f"/orders/{user_id}"
    invoked = client.clock.now
    pages = list(_pages(client, path, None))
    shown = [_order(one) for page in pages if page is not None for one in page["orders"]]
    return _keep(client, path, invoked, pages, tuple(shown), (), quiescent)


def trades(
    client: Reader, symbol: str, *, pages: int | None = None, quiescent: bool = False
) -> bool:
    """Read a symbol's trades, to the end or for some pages; false without a proper answer."""
    path = f"/trades/{symbol}"
    invoked = client.clock.now
    found = list(_pages(client, path, pages))
    shown = [_trade(symbol, one) for page in found if page is not None for one in page["trades"]]
    return _keep(client, path, invoked, found, (), tuple(shown), quiescent)


def _pages(client: Reader, path: str, most: int | None) -> Iterator[dict[str, Any] | None]:
    """Yield page after page; None in place of one that was not answered."""
    limit = client.stream.choice(PAGES)
    before, count = "", 0
    while most is None or count < most:
        query = f"{path}?limit={limit}" + (f"&before={before}" if before else "")
        response = client.connection.request("GET", query, client.key, b"", _PATIENCE)
        if response is None or response.status != 200:
            yield None
            return
        page = response.json()
        yield page
        before, count = page["next_before"], count + 1
        if before is None:
            return


def _keep(
    client: Reader,
    path: str,
    invoked_ns: int,
    pages: list[dict[str, Any] | None],
    orders: tuple[ShownOrder, ...],
    trades: tuple[ShownTrade, ...],
    quiescent: bool,
) -> bool:
    if pages[-1] is None:
        return False
    client.history.listings.append(
        Listing(
            client=client.name,
            path=path,
            invoked_ns=invoked_ns,
            returned_ns=client.clock.now,
            orders=orders,
            trades=trades,
            whole=pages[-1]["next_before"] is None,
            quiescent=quiescent,
        )
    )
    return True


def _order(shown: dict[str, Any]) -> ShownOrder:
    symbol = symbols.BY_NAME[shown["symbol"]]
    return ShownOrder(
        order_id=shown["order_id"],
        symbol_id=symbol.id,
        side=shown["side"],
        kind=shown["type"],
        time_in_force=shown["time_in_force"],
        price=raw(shown["price"]) * symbol.tick,
        quantity=raw(shown["quantity"]),
        status=shown["status"],
        ending=shown["ending"],
        filled=raw(shown["filled"]),
        remaining=raw(shown["remaining"]),
        locked_asset_id=assets.BY_NAME[shown["locked_asset"]].id,
        paid=raw(shown["paid"]),
        unlocked=raw(shown["unlocked"]),
        created_at=shown["created_at"],
    )


def _trade(name: str, shown: dict[str, Any]) -> ShownTrade:
    return ShownTrade(
        trade_id=shown["trade_id"],
        price=raw(shown["price"]) * symbols.BY_NAME[name].tick,
        quantity=raw(shown["quantity"]),
        cost=raw(shown["cost"]),
        taker_side=shown["taker_side"],
        created_at=shown["created_at"],
    )
