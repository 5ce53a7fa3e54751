"""From what clients send to commands in integers: every mistake has a reason of its own."""

import json
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

from system import assets, symbols, trades
from system.assets import Asset
from system.gateway.refusals import bad_input
from system.records import Id
from system.symbols import Symbol

_UUID7 = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.ASCII)
_ORDER_ID = re.compile("[0-9a-f]{32}", re.ASCII)
_ORDERS_CURSOR = re.compile("([1-9][0-9]{0,18})-([0-9a-f]{32})", re.ASCII)
_NUMBER = re.compile("[1-9][0-9]{0,18}", re.ASCII)
_WHERE = re.compile(r"^(.*?)(?: - at `\$\.?(.*)`)?$", re.DOTALL)
MAX_NUMBER = 2**63 - 1


class TransferBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a transfer; the amount is a decimal in a string, as in "12.5"."""

    request_id: str
    user_id: Id
    asset: str
    amount: str


class OrderBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of an order; price and quantity are decimals in strings.

    Without a time in force a limit order is gtc and a market order ioc. The price of a market
    order is the bound it may go to.
    """

    request_id: str
    user_id: Id
    symbol: str
    side: str
    type: str
    price: str
    quantity: str
    time_in_force: str | None = None


class CancelBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a cancel."""

    request_id: str
    user_id: Id


Body = TransferBody | OrderBody | CancelBody
B = TypeVar("B", TransferBody, OrderBody, CancelBody)

_DECODERS: dict[type[Any], Callable[[bytes], Any]] = {
    form: msgspec.json.Decoder(form).decode for form in (TransferBody, OrderBody, CancelBody)
}
_DECIMALS = ("amount", "price", "quantity")


def read_body(form: type[B], raw: bytes) -> B:
    """Read a body, or say what is wrong with it."""
    try:
        found: B = _DECODERS[form](raw)
    except msgspec.ValidationError as error:
        raise _mistake(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:  # the latter: no UTF-8
        raise bad_input("not_json", str(error)) from None
    _fields(raw.decode())
    return found


def _once(fields: list[tuple[str, object]]) -> None:
    """Refuse a field that is given twice: who reads the first would see another command."""
    names = [name for name, _ in fields]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise bad_input("repeated_field", f"Object contains field `{twice}` more than once")


_fields = json.JSONDecoder(object_pairs_hook=_once).decode


def _mistake(message: str) -> Exception:
    """Turn msgspec's sentence into a reason."""
    match = _WHERE.match(message)
    what, field = (match.group(1), match.group(2)) if match else (message, None)
    if "unknown field" in what:
        return bad_input("unknown_field", what)
    if "missing required field" in what:
        return bad_input("missing_field", what)
    if not field:
        return bad_input("not_an_object", what)
    if " >= " in what or " <= " in what:
        return bad_input("out_of_range", f"{field}: {what}")
    if field in _DECIMALS:
        what += "; amounts, prices and quantities are decimals in strings"
    return bad_input("wrong_type", f"{field}: {what}")


def request_id(text: str) -> str:
    """Return the canonical form of a request id, which must be a UUID of version 7."""
    canonical = text.lower()
    if _UUID7.fullmatch(canonical) is None:
        raise bad_input("bad_request_id", f"{text[:64]!r} is not a UUID of version 7")
    return canonical


def made_at_ms(canonical: str) -> int:
    """Return when the client made a request id, by the client's clock."""
    return int(canonical[:8] + canonical[9:13], 16)


def asset(name: str) -> Asset:
    """Return the asset of this name."""
    found = assets.BY_NAME.get(name)
    if found is None:
        raise bad_input("unknown_asset", f"{name[:64]!r} is none of {', '.join(assets.BY_NAME)}")
    return found


def symbol(name: str) -> Symbol:
    """Return the symbol of this name."""
    found = symbols.BY_NAME.get(name)
    if found is None:
        raise bad_input("unknown_symbol", f"{name[:64]!r} is none of {', '.join(symbols.BY_NAME)}")
    return found


def order_id(text: str) -> str:
    """Return the canonical form of an order id."""
    canonical = text.lower()
    if _ORDER_ID.fullmatch(canonical) is None:
        raise bad_input("bad_order_id", f"{text[:64]!r} is not an order id: 32 hexadecimal digits")
    return canonical


def orders_before(text: str) -> tuple[int, str]:
    """Return the place in a user's orders that a page ends before: when made, and order id."""
    match = _ORDERS_CURSOR.fullmatch(text)
    if match is None or int(match[1]) > MAX_NUMBER:
        raise bad_input("bad_before", f"{text[:64]!r} is no `next_before` of a page of orders")
    return int(match[1]), match[2]


def trades_before(text: str, of: Symbol) -> int:
    """Return the number of the trade that a page ends before."""
    found = trades.number_of(text)
    if found is None or found[0] != of.id or found[1] > MAX_NUMBER:
        raise bad_input("bad_before", f"{text[:64]!r} is no trade id of {of.name}")
    return found[1]


def amount(text: str, of: Asset, digits: int) -> int:
    """Return the raw integer of a decimal."""
    try:
        return assets.parse(text, of, digits)
    except assets.AmountRefused as refused:
        raise bad_input(refused.reason, str(refused)) from None


def number(text: str, name: str, maximum: int = MAX_NUMBER) -> int:
    """Return a positive integer from a path or query."""
    if _NUMBER.fullmatch(text) is None or int(text) > maximum:
        raise bad_input(f"bad_{name}", f"{text[:64]!r} is not an integer in 1..{maximum}")
    return int(text)
