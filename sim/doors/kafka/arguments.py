"""Arguments as the C module reads them, with its error texts."""

from typing import Any

Headers = tuple[tuple[str, bytes | None], ...]


def payload(value: Any, position: int) -> bytes | None:
    """Return a value or key as bytes."""
    if value is None or type(value) is bytes:
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, bytearray | memoryview):
        kind = type(value).__name__
        raise TypeError(f"argument {position} must be read-only bytes-like object, not {kind}")
    raise TypeError(f"a bytes-like object is required, not '{type(value).__name__}'")


def headers(given: Any) -> Headers:
    """Return headers as pairs."""
    if given is None:
        return ()
    if isinstance(given, dict):
        return tuple((str(name), _content(value)) for name, value in given.items())
    if not isinstance(given, list):
        kind = type(given).__name__
        raise TypeError(f"expected headers to be dict or list of (key, value) tuples, not {kind}")
    pairs = []
    for pair in given:
        if not (isinstance(pair, tuple) and len(pair) == 2 and isinstance(pair[0], str)):
            raise TypeError("Headers are expected to be a list of (key, value) tuples")
        pairs.append((pair[0], _content(pair[1])))
    return tuple(pairs)


def topic_name(topic: Any) -> str:
    """Return a topic's name."""
    if not isinstance(topic, str):
        kind = "None" if topic is None else type(topic).__name__
        raise TypeError(f"argument 1 must be str, not {kind}")
    return topic


def wide(value: Any) -> int:
    """Return a C long long."""
    try:
        number: int = value.__index__()
    except AttributeError:
        kind = type(value).__name__
        raise TypeError(f"'{kind}' object cannot be interpreted as an integer") from None
    return number


def integer(value: Any) -> int:
    """Return a C int."""
    number = wide(value)
    if not -(2**31) <= number < 2**31:
        word = "greater than maximum" if number > 0 else "less than minimum"
        raise OverflowError(f"signed integer is {word}")
    return number


def seconds(timeout: Any) -> float:
    """Return a timeout; negative is for ever."""
    if not isinstance(timeout, int | float):
        raise TypeError(f"must be real number, not {type(timeout).__name__}")
    return float(timeout)


def configuration(args: tuple[Any, ...], named: dict[str, Any]) -> dict[Any, Any]:
    """Return the configuration of a constructor's arguments."""
    if len(args) > 1:
        raise TypeError("expected tuple containing single dict")
    if args and not isinstance(args[0], dict):
        raise TypeError("expected configuration dict")
    if not args and not named:
        raise TypeError("expected configuration dict")
    return {**(args[0] if args else {}), **named}


def _content(value: Any) -> bytes | None:
    if value is None or type(value) is bytes:
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytes):
        return bytes(value)
    kind = type(value).__name__
    raise TypeError(f"expected header value to be None, binary, or unicode string, not {kind}")
