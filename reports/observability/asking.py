"""Panels of a dashboard, and the questions that are asked again and again, in PromQL."""

from dataclasses import dataclass

RATE = "$__rate_interval"


@dataclass(frozen=True, slots=True)
class Query:
    """A question, and how a series of the answer is called."""

    expression: str
    legend: str
    instant: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A graph or a table; `width` is in 24ths of the page, `unit` one of Grafana's."""

    title: str
    queries: tuple[Query, ...]
    meaning: str = ""
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


def quantiles(metric: str, by: str = "") -> tuple[Query, ...]:
    """Ask for the median and the 99th percentile of a histogram."""
    labels, legend = ("le, " + by, f" {{{{{by}}}}}") if by else ("le", "")
    return tuple(
        Query(
            f"histogram_quantile({q}, sum by ({labels}) (rate({metric}_bucket[{RATE}])))",
            f"p{round(q * 100)}{legend}",
        )
        for q in (0.5, 0.99)
    )


def sizes(metric: str) -> tuple[Query, ...]:
    """Ask for mean, median and 99th percentile of a histogram."""
    mean = f"sum(rate({metric}_sum[{RATE}])) / sum(rate({metric}_count[{RATE}]))"
    return (Query(mean, "mean"), *quantiles(metric))


def rates(metric: str, *by: str) -> tuple[Query, ...]:
    """Ask how much a counter grows in a second, by its labels."""
    legend = " ".join(f"{{{{{label}}}}}" for label in by)
    return (Query(f"sum by ({', '.join(by)}) (rate({metric}[{RATE}]))", legend),)


def one(expression: str, legend: str) -> tuple[Query, ...]:
    """Ask one question."""
    return (Query(expression, legend),)
