"""Curves as SVG: small charts side by side, with the faults as bands behind them."""

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import NamedTuple

from reports.amounts import seconds
from reports.case import Case
from reports.curves import Chart, Curve, charts
from reports.evidence import FaultReceipt

_WIDTH, _LEFT, _RIGHT, _TOP, _PANEL, _BOTTOM = 400, 44, 8, 22, 120, 20
_HEIGHT = _TOP + _PANEL + _BOTTOM
_TICKS_NS = (10**7, 10**8, 5 * 10**8, 10**9, 2 * 10**9, 5 * 10**9, 10**10, 3 * 10**10, 6 * 10**10)
_COLOURS = 6  # as many as the style sheet has


class Drawn(NamedTuple):
    """A chart as the page shows it: the names of its curves stand below, with their colours."""

    title: str
    svg: str
    names: tuple[tuple[str, str], ...]  # class, name


class _Frame(NamedTuple):
    """What lies where; the axis goes from `bottom` to `top`, by decades if `bottom` is not 0."""

    begin_ns: int
    end_ns: int
    bottom: float
    top: float

    def x(self, ns: int) -> float:
        inside = min(max(ns, self.begin_ns), self.end_ns) - self.begin_ns
        share = inside / max(self.end_ns - self.begin_ns, 1)
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    def y(self, value: float) -> float:
        if self.bottom:
            decades = math.log10(max(value, self.bottom) / self.bottom)
            share = decades / math.log10(self.top / self.bottom)
        else:
            share = value / self.top
        return round(_TOP + _PANEL * (1 - share), 1)

    @property
    def marks(self) -> tuple[float, ...]:
        """The values that the axis names."""
        if not self.bottom:
            return 0.0, self.top / 2, self.top
        decades = round(math.log10(self.top / self.bottom))
        every = -(-decades // 4)
        return tuple(self.bottom * 10.0**n for n in range(0, decades + 1, every))


def draw(case: Case) -> list[Drawn]:
    """Return the charts of a run that was sampled."""
    return [_drawn(chart, case) for chart in charts(case.evidence)]


def _drawn(chart: Chart, case: Case) -> Drawn:
    times = [at_ns for curve in chart.curves for at_ns, _ in curve.points]
    values = [v for curve in chart.curves for _, v in curve.points if v]
    most = max(values)
    frame = _Frame(min(times), max(times), *_axis(min(values), most, chart.logarithmic))
    body = [
        *(band for fault in case.evidence.faults for band in _band(frame, fault)),
        *_grid(frame, chart.unit),
        *_crashes(frame, case),
    ]
    names = []
    for number, curve in enumerate(chart.curves):
        style = f"c{number % _COLOURS + 1}"
        body += _lines(frame, curve, style)
        names.append((style, curve.name))
    label = escape(f"{chart.title} in {chart.unit} over time, at most {_number(most)}")
    return Drawn(
        chart.title,
        f'<svg class="curves" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">'
        f"{''.join(body)}</svg>",
        tuple(names),
    )


def _grid(frame: _Frame, unit: str) -> list[str]:
    drawn = [f'<text class="unit" x="{_LEFT}" y="{_TOP - 9}">{unit}</text>']
    for mark in frame.marks:
        y = frame.y(mark)
        drawn += [
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y}" y2="{y}"/>',
            f'<text class="mark" x="{_LEFT - 6}" y="{y + 4}">{_number(mark)}</text>',
        ]
    length = frame.end_ns - frame.begin_ns
    step = next((tick for tick in _TICKS_NS if length / tick <= 6), 600 * 10**9)
    step *= max(1, math.ceil(length / step / 6))
    for ns in range(-(-frame.begin_ns // step) * step, frame.end_ns + 1, step):
        x = frame.x(ns)
        side = " last" if x > _WIDTH - _RIGHT - 14 else ""
        drawn.append(f'<text class="tick{side}" x="{x}" y="{_HEIGHT - 5}">{_time(ns)}</text>')
    return drawn


def _band(frame: _Frame, fault: FaultReceipt) -> Iterator[str]:
    if fault.entered_ns is None or not fault.bites or fault.entered_ns > frame.end_ns:
        return
    left = frame.x(fault.entered_ns)
    width = max(frame.x(fault.left_ns or fault.entered_ns) - left, 2)
    title = escape(f"{fault.fault} at {seconds(fault.entered_ns)}")
    yield (
        f'<rect class="band" x="{left}" y="{_TOP}" width="{width:.1f}" height="{_PANEL}">'
        f"<title>{title}</title></rect>"
    )


def _crashes(frame: _Frame, case: Case) -> list[str]:
    drawn = []
    for event in case.evidence.processes:
        if event.kind in ("crashed", "power_lost", "halted") and event.at_ns <= frame.end_ns:
            x = frame.x(event.at_ns)
            title = escape(f"{event.process}#{event.incarnation} {event.kind}")
            drawn.append(
                f'<line class="crash" x1="{x}" x2="{x}" y1="{_TOP + _PANEL - 9}"'
                f' y2="{_TOP + _PANEL}"><title>{title} at {seconds(event.at_ns)}</title></line>'
            )
    return drawn


def _lines(frame: _Frame, curve: Curve, style: str) -> list[str]:
    """Draw each part of a curve that is not interrupted; a single value as a dot."""
    drawn = []
    for part in _parts(curve):
        points = [(frame.x(at_ns), frame.y(value)) for at_ns, value in part]
        if len(points) == 1:
            ((x, y),) = points
            drawn.append(f'<circle class="{style}" cx="{x}" cy="{y}" r="2.5"/>')
        else:
            path = " ".join(f"{x},{y}" for x, y in _thinned(points))
            drawn.append(f'<polyline class="{style}" points="{path}"/>')
    return drawn


def _parts(curve: Curve) -> Iterator[list[tuple[int, float]]]:
    part: list[tuple[int, float]] = []
    for at_ns, value in curve.points:
        if value is not None:
            part.append((at_ns, value))
        elif part:
            yield part
            part = []
    if part:
        yield part


def _thinned(points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """Leave out what lies on a level line between two others."""
    last = len(points) - 1
    return [
        point
        for at, point in enumerate(points)
        if at in (0, last) or not points[at - 1][1] == point[1] == points[at + 1][1]
    ]


def _axis(least: float, most: float, logarithmic: bool) -> tuple[float, float]:
    """Return where an axis begins and ends: at round numbers, or at decades."""
    if not logarithmic:
        return 0.0, _round(most)
    bottom, top = (10.0 ** math.floor(math.log10(v)) for v in (least, most))
    return bottom, top * 10


def _round(value: float) -> float:
    """Return the next round number, so that the axis ends at it."""
    base = 10.0 ** math.floor(math.log10(value))
    return next(base * step for step in (1, 2, 4, 6, 10) if value <= base * step)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.3g}"


def _time(ns: int) -> str:
    return f"{ns / 10**9:g} s"
