"""Curves: the programs' metrics over the time of a run, from the samples in its evidence.

Values of several incarnations and programs are added up, counters as what they grew by in a second.
A program that is down adds nothing, so a gap in a curve is a time at which nobody told.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import NamedTuple

from reports.evidence import Evidence, Sample

SECOND = 10**9

Points = tuple[tuple[int, float | None], ...]  # time in ns, value; None: nobody told


class Curve(NamedTuple):
    """A named line."""

    name: str
    points: Points


class Chart(NamedTuple):
    """Curves that share an axis, which is logarithmic where values differ by orders."""

    title: str
    unit: str
    curves: tuple[Curve, ...]
    logarithmic: bool = False


class _Series(NamedTuple):
    """One metric with its labels, of one incarnation, as it was at each time of the grid."""

    name: str
    labels: Mapping[str, str]
    process: str
    values: Sequence[float | None]


Wanted = Callable[[_Series], str | None]  # the name of the curve it belongs to; None: to none


def charts(evidence: Evidence) -> list[Chart]:
    """Return what there is to draw; nothing of a run that was not sampled."""
    grid = _grid(evidence.samples)
    if len(grid) < 3:
        return []
    series = _series(evidence.samples, grid)
    drawn = (
        Chart("Consumer lag", "records", _gauges(series, grid, _lag)),
        Chart("Throughput", "per second", _rates(series, grid, _THROUGHPUT), logarithmic=True),
        Chart("Latency, mean", "ms", _means(series, grid, _LATENCIES), logarithmic=True),
        Chart("Outbox", "records", _gauges(series, grid, _outbox)),
        Chart("Book depth", "orders", _gauges(series, grid, _book)),
        Chart("Log, mean of append and sync", "ms", _means(series, grid, _LOG), logarithmic=True),
    )
    return [chart for chart in drawn if any(v for c in chart.curves for _, v in c.points)]


def _lag(series: _Series) -> str | None:
    if series.name != "kafka_consumer_lag_records":
        return None
    return f"{series.labels['group']} on {series.labels['topic']}"


def _outbox(series: _Series) -> str | None:
    return series.process if series.name.endswith("_outbox_records") else None


def _book(series: _Series) -> str | None:
    return series.labels["symbol"] if series.name == "engine_book_orders" else None


_THROUGHPUT = {
    "gateway_requests_total": "requests",
    "ubscore_commands_total": "decisions",
    "engine_outputs_total": "engine outputs",
    "settlement_records_total": "records settled",
}
_LATENCIES = {
    "gateway_publish_seconds": "acknowledged by Kafka",
    "ubscore_decision_seconds": "decided",
    "settlement_end_to_end_seconds": "row settled",
}
_LOG = {"ubscore_log_append_seconds": "append", "ubscore_log_sync_seconds": "sync"}


# -- samples on a grid ---------------------------------------------------------------------------


def _grid(samples: Sequence[Sample]) -> list[int]:
    """Return the times of the scrapes: as far apart as the two nearest of which something came."""
    times = sorted({sample.at_ns for sample in samples})
    if len(times) < 2:
        return times
    step = min(b - a for a, b in itertools.pairwise(times))
    return list(range(times[0], times[-1] + 1, step))


def _series(samples: Iterable[Sample], grid: Sequence[int]) -> list[_Series]:
    """Return every series of every incarnation, None where it is not alive yet or any more."""
    changes: dict[tuple[str, int, str, tuple[tuple[str, str], ...]], list[Sample]] = {}
    ends: dict[tuple[str, int], int] = {}
    for sample in samples:
        if sample.name == "up":
            if not sample.value:
                ends[sample.process, sample.incarnation] = sample.at_ns
            continue
        key = sample.process, sample.incarnation, sample.name, tuple(sample.labels.items())
        changes.setdefault(key, []).append(sample)
    return [
        _Series(name, dict(labels), process, _carried(found, grid, ends.get((process, number))))
        for (process, number, name, labels), found in changes.items()
    ]


def _carried(
    found: Sequence[Sample], grid: Sequence[int], end_ns: int | None
) -> list[float | None]:
    values: list[float | None] = []
    at, last = 0, None
    for time_ns in grid:
        while at < len(found) and found[at].at_ns <= time_ns:
            at, last = at + 1, found[at].value
        values.append(None if end_ns is not None and time_ns >= end_ns else last)
    return values


# -- curves --------------------------------------------------------------------------------------


def _gauges(series: Iterable[_Series], grid: Sequence[int], wanted: Wanted) -> tuple[Curve, ...]:
    sums: dict[str, list[float | None]] = {}
    for one in series:
        name = wanted(one)
        if name is not None:
            _add(sums.setdefault(name, [None] * len(grid)), one.values)
    return tuple(_curve(name, grid, sums[name]) for name in sorted(sums))


def _rates(
    series: Iterable[_Series], grid: Sequence[int], names: Mapping[str, str]
) -> tuple[Curve, ...]:
    seconds = (grid[1] - grid[0]) / SECOND
    grown = _growth(series, grid, names)
    return tuple(
        _curve(label, grid, [None if v is None else v / seconds for v in grown[name]])
        for name, label in names.items()
        if name in grown
    )


def _means(
    series: Sequence[_Series], grid: Sequence[int], names: Mapping[str, str]
) -> tuple[Curve, ...]:
    """Return what a histogram's observations came to on average, in milliseconds."""
    sums = _growth(series, grid, [f"{name}_sum" for name in names])
    counts = _growth(series, grid, [f"{name}_count" for name in names])
    return tuple(
        _curve(
            label,
            grid,
            [
                1000 * total / count if total is not None and count else None
                for total, count in zip(sums[f"{name}_sum"], counts[f"{name}_count"], strict=True)
            ],
        )
        for name, label in names.items()
        if f"{name}_sum" in sums
    )


def _growth(
    series: Iterable[_Series], grid: Sequence[int], names: Iterable[str]
) -> dict[str, list[float | None]]:
    """Return by how much counters grew since the scrape before; a new one began at 0."""
    wanted, sums = set(names), dict[str, list[float | None]]()
    for one in series:
        if one.name in wanted:
            steps: list[float | None] = []
            before = 0.0
            for value in one.values:
                steps.append(None if value is None else value - before)
                before = before if value is None else value
            _add(sums.setdefault(one.name, [None] * len(grid)), steps)
    return sums


def _add(total: list[float | None], values: Sequence[float | None]) -> None:
    for at, value in enumerate(values):
        if value is not None:
            total[at] = (total[at] or 0.0) + value


def _curve(name: str, grid: Sequence[int], values: Sequence[float | None]) -> Curve:
    return Curve(name, tuple(zip(grid, values, strict=True)))
