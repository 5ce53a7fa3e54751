"""What an expression in PromQL asks for."""

from collections.abc import Iterator
from typing import Any

import promql_parser

# What Prometheus itself adds, and what it tells of its targets.
GIVEN = frozenset(("instance", "job"))
OWN = {"up": frozenset[str]()}


def parsed(expression: str) -> Any:
    return promql_parser.parse(expression.replace("$__rate_interval", "5m"))


def names(expression: str) -> set[str]:
    """Every metric that an expression asks for."""
    return {selector.name for selector in _selectors(parsed(expression))}


def unknown(expression: str, series: dict[str, frozenset[str]]) -> list[str]:
    """What an expression asks for that nobody tells: metrics, labels to match, labels to keep."""
    return list(_unknown(parsed(expression), series))


def kept(expression: str) -> set[str] | None:
    """The labels of the answer, if an aggregation says which; None if they are the series' own."""
    return _kept(parsed(expression))


def _unknown(node: Any, series: dict[str, frozenset[str]]) -> Iterator[str]:
    for selector in _selectors(node):
        if selector.name not in series:
            yield f"no metric {selector.name}"
            continue
        for matcher in selector.matchers.matchers:
            if matcher.name not in series[selector.name] | GIVEN:
                yield f"{selector.name} has no label {matcher.name}"
    for below in _nodes(node):
        if isinstance(below, promql_parser.AggregateExpr) and below.modifier is not None:
            for selector in _selectors(below):
                labels = series.get(selector.name, frozenset()) | GIVEN
                yield from (
                    f"{selector.name} has no label {label}"
                    for label in below.modifier.labels
                    if label not in labels
                )


def _kept(node: Any) -> set[str] | None:
    match node:
        case promql_parser.AggregateExpr():
            return set(node.modifier.labels) if node.modifier is not None else set()
        case promql_parser.Call():
            inner = [found for arg in node.args if (found := _kept(arg)) is not None]
            dropped = {"le"} if node.func.name == "histogram_quantile" else set()
            return inner[0] - dropped if inner else None
        case promql_parser.BinaryExpr():
            sides = [found for side in (node.lhs, node.rhs) if (found := _kept(side)) is not None]
            return sides[0] if sides else None
        case promql_parser.ParenExpr():
            return _kept(node.expr)
    return None


def _selectors(node: Any) -> Iterator[Any]:
    for one in _nodes(node):
        if isinstance(one, promql_parser.VectorSelector):
            yield one


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for name in ("lhs", "rhs", "expr", "param", "vector_selector"):
        if (below := getattr(node, name, None)) is not None and not isinstance(below, str):
            yield from _nodes(below)
    for argument in getattr(node, "args", ()):
        yield from _nodes(argument)
