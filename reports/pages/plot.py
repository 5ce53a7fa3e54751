"""A load over time as SVG: rates above, latencies below, faults as bands across both."""

import math
from collections.abc import Callable, Sequence
from html import escape

from reports.load import Band, Load, Slice

_LEFT, _RIGHT, _WIDTH = 70, 16, 1180
_TOP, _PANEL, _GAP = 26, 150, 34
_HEIGHT = _TOP + 2 * _PANEL + _GAP + 30
_NUMBER = 18  # the room that a number takes
_TICKS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)

Line = tuple[str, str, Sequence[float | None]]  # class, name, a value per second


def draw(load: Load) -> str:
    """Return the plot, or an empty string if there is nothing to show."""
    slices = load.slices
    if not slices:
        return ""
    seconds = len(slices)
    body = _seconds(seconds)
    body += [_band(band, seconds) for band in load.bands if band.from_s is not None]
    body += _numbers(load.bands, seconds)
    body += _panel(_TOP, "requests/s", _rates(slices), seconds, _linear)
    body += _panel(_TOP + _PANEL + _GAP, "ms", _latencies(slices), seconds, _logarithmic)
    return (
        f'<svg class="plot" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img"'
        f' aria-label="Rates and latencies over time">{"".join(body)}</svg>'
    )


def _rates(slices: Sequence[Slice]) -> list[Line]:
    return [
        ("offered", "offered", [float(each.offered) for each in slices]),
        ("settled", "settled", [float(each.settled) for each in slices]),
    ]


def _latencies(slices: Sequence[Slice]) -> list[Line]:
    return [
        ("p50", "settled, p50", [each.p50_ms for each in slices]),
        ("p99", "settled, p99", [each.p99_ms for each in slices]),
    ]


def _x(second: float, seconds: int) -> float:
    share = min(max(second, 0.0), seconds) / seconds
    return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)


def _seconds(seconds: int) -> list[str]:
    step = next((tick for tick in _TICKS if seconds / tick <= 12), 7200)
    drawn = []
    for second in range(0, seconds + 1, step):
        x = _x(second, seconds)
        drawn.append(
            f'<line class="grid" x1="{x}" x2="{x}" y1="{_TOP}" y2="{_HEIGHT - 24}"/>'
            f'<text class="tick" x="{x}" y="{_HEIGHT - 8}">{second} s</text>'
        )
    return drawn


def _band(band: Band, seconds: int) -> str:
    assert band.from_s is not None
    left = _x(band.from_s, seconds)
    width = max(_x(band.to_s or band.from_s, seconds) - left, 3)
    title = escape(f"{band.fault} at {band.from_s:.1f} s: {band.effects}")
    kind = "idle" if band.effects == "bit nothing" else "bit"
    return (
        f'<rect class="band {kind}" x="{left}" y="{_TOP}" width="{width:.1f}"'
        f' height="{_HEIGHT - _TOP - 24}"><title>{title}</title></rect>'
    )


def _numbers(bands: Sequence[Band], seconds: int) -> list[str]:
    """Return the numbers that bands have in the table of faults, where there is room."""
    drawn, free = [], 0.0
    starts = [(band.from_s, n) for n, band in enumerate(bands, 1) if band.from_s is not None]
    for from_s, number in sorted(starts):
        x = _x(from_s, seconds) + 3
        if x >= free:
            drawn.append(f'<text class="which" x="{x}" y="{_TOP + 11}">{number}</text>')
            free = x + _NUMBER
    return drawn


Scale = Callable[[float, float], float]


def _linear(value: float, top: float) -> float:
    return value / top


def _logarithmic(value: float, top: float) -> float:
    """Return the share of the height of a value in milliseconds, from one up."""
    return math.log10(max(value, 1.0)) / math.log10(max(top, 10.0))


def _panel(y: int, unit: str, lines: list[Line], seconds: int, scale: Scale) -> list[str]:
    values = [value for _, _, found in lines for value in found if value is not None]
    top = _round(max(values, default=1.0))
    marks = (top / 2, top) if scale is _linear else _decades(top)
    drawn = [f'<text class="unit" x="{_LEFT - 8}" y="{y - 8}">{unit}</text>']
    for mark in (0.0, *marks) if scale is _linear else marks:
        at = round(y + _PANEL * (1 - scale(mark, top)), 1)
        drawn.append(
            f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{at}" y2="{at}"/>'
        )
        drawn.append(f'<text class="mark" x="{_LEFT - 8}" y="{at + 4}">{mark:,.0f}</text>')
    for number, (kind, name, found) in enumerate(lines):
        points = [
            (_x(second + 0.5, seconds), round(y + _PANEL * (1 - scale(value, top)), 1))
            for second, value in enumerate(found)
            if value is not None
        ]
        path = " ".join(f"{x},{at}" for x, at in points)
        drawn.append(f'<polyline class="{kind}" points="{path}"/>')
        x = _LEFT + 20 + 130 * number
        drawn.append(f'<line class="{kind}" x1="{x}" x2="{x + 20}" y1="{y - 12}" y2="{y - 12}"/>')
        drawn.append(f'<text class="name" x="{x + 26}" y="{y - 8}">{name}</text>')
    return drawn


def _round(value: float) -> float:
    """Return the next round number, so that an axis ends at it."""
    base = 10.0 ** math.floor(math.log10(max(value, 1.0)))
    return next(base * step for step in (1, 2, 5, 10) if value <= base * step)


def _decades(top: float) -> tuple[float, ...]:
    highest = math.ceil(math.log10(max(top, 10.0)))
    return tuple(10.0**power for power in range(highest + 1) if 10**power <= max(top, 10.0))
