"""The timeline as SVG: a lane per program or server, bands for faults, marks for crashes."""

from html import escape
from typing import NamedTuple

from reports.amounts import seconds
from reports.case import Case
from reports.evidence import FaultReceipt, ProcessEvent

LEFT, RIGHT, TOP, LANE, WIDTH = 130, 16, 34, 26, 1180
_WORD = 48  # about the width of a word above the lanes
_ENDS = ("crashed", "power_lost", "halted", "exited")
_TICKS = (10**6, 10**7, 10**8, 5 * 10**8, 10**9, 5 * 10**9, 10**10, 6 * 10**10, 6 * 10**11)


class Scale(NamedTuple):
    """Where a time lies on the page."""

    begin_ns: int
    end_ns: int

    def x(self, ns: int) -> float:
        """Return the horizontal place of a time."""
        share = (min(max(ns, self.begin_ns), self.end_ns) - self.begin_ns) / max(
            self.end_ns - self.begin_ns, 1
        )
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)


def draw(case: Case) -> str:
    """Return the timeline, or an empty string if nothing is known about any process."""
    lanes = _lanes(case)
    if not lanes:
        return ""
    scale = _scale(case)
    height = TOP + LANE * len(lanes) + 24
    rows = {name: TOP + LANE * i for i, name in enumerate(lanes)}
    body = [*_grid(scale, height)]
    for fault in case.evidence.faults:
        body += _band(scale, fault, rows, height)
    for name, y in rows.items():
        body.append(f'<text class="lane" x="{LEFT - 10}" y="{y + 16}">{escape(name)}</text>')
        body += _lives(scale, [e for e in case.evidence.processes if e.process == name], y)
    if "clients" in rows:
        body += _clients(scale, case, rows["clients"])
    body += _moments(scale, case, height)
    return (
        f'<svg class="timeline" viewBox="0 0 {WIDTH} {height}" role="img"'
        f' aria-label="Timeline of processes and faults">{"".join(body)}</svg>'
    )


def _lanes(case: Case) -> list[str]:
    names = {event.process: None for event in case.evidence.processes}
    for fault in case.evidence.faults:
        names.update(dict.fromkeys(fault.targets))
    clients = ["clients"] if case.evidence.operations else []
    return [*clients, *(name for name in names if name != "clients")] if names else []


def _scale(case: Case) -> Scale:
    """Show the part in which something happened; a long quiet end is left out."""
    evidence = case.evidence
    times = [event.at_ns for event in evidence.processes]
    times += [t for fault in evidence.faults for t in (fault.entered_ns, fault.left_ns) if t]
    times += [op.invoked_ns for op in evidence.operations]
    times += [a.returned_ns for op in evidence.operations for a in op.attempts if a.returned_ns]
    times += [t for t in (case.about.quiescent_ns, case.about.healed_ns) if t]
    end = max(times, default=1)
    return Scale(0, max(end + end // 30, 1))


def _grid(scale: Scale, height: int) -> list[str]:
    step = next((t for t in _TICKS if (scale.end_ns - scale.begin_ns) // t <= 12), 36 * 10**11)
    lines = []
    for ns in range(0, scale.end_ns + 1, step):
        x = scale.x(ns)
        lines.append(f'<line class="grid" x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 20}"/>')
        lines.append(f'<text class="tick" x="{x}" y="{height - 6}">{seconds(ns)}</text>')
    return lines


def _band(scale: Scale, fault: FaultReceipt, rows: dict[str, int], height: int) -> list[str]:
    if fault.entered_ns is None:
        return []
    left = scale.x(fault.entered_ns)
    width = max(scale.x(fault.left_ns or fault.entered_ns) - left, 3)
    bit = "bit" if fault.bites else "idle"
    effects = ", ".join(f"{name} {value}" for name, value in fault.effects.items())
    title = escape(f"{fault.fault} at {seconds(fault.entered_ns)}: {effects or 'bit nothing'}")
    lanes = [rows[name] for name in fault.targets if name in rows]
    places = [(y, LANE) for y in lanes] or [(TOP, height - TOP - 24)]
    return [
        f'<rect class="band {bit}" x="{left}" y="{y}" width="{width:.1f}" height="{h}">'
        f"<title>{title}</title></rect>"
        for y, h in places
    ]


def _lives(scale: Scale, events: list[ProcessEvent], y: int) -> list[str]:
    """Draw a bar per incarnation, lighter where it was paused, and how it ended."""
    drawn: list[str] = []
    began: int | None = None
    paused: int | None = None
    for event in events:
        if event.kind == "started":
            began = event.at_ns
        elif event.kind == "paused":
            paused = event.at_ns
        elif event.kind == "resumed" and paused is not None:
            drawn.append(_bar(scale, paused, event.at_ns, y, "paused", event))
            paused = None
        elif event.kind in _ENDS:
            if began is not None:
                drawn.insert(0, _bar(scale, began, event.at_ns, y, "life", event))
            drawn.append(_end(scale, event, y))
            began = paused = None
    if began is not None:
        drawn.insert(0, _bar(scale, began, scale.end_ns, y, "life", events[-1]))
    return drawn


def _bar(scale: Scale, began: int, ended: int, y: int, style: str, event: ProcessEvent) -> str:
    left, right = scale.x(began), scale.x(ended)
    name = escape(f"{event.process}#{event.incarnation} from {seconds(began)}")
    return (
        f'<rect class="{style}" x="{left}" y="{y + 7}" width="{max(right - left, 1):.1f}"'
        f' height="12" rx="3"><title>{name}</title></rect>'
    )


def _end(scale: Scale, event: ProcessEvent, y: int) -> str:
    x, middle = scale.x(event.at_ns), y + 13
    label = f"{event.process}#{event.incarnation} {event.kind} at {seconds(event.at_ns)}"
    title = escape(f"{label} {event.reason} {event.detail}".strip())
    if event.kind in ("crashed", "power_lost"):
        shape = (
            f"M{x - 6} {middle - 6}L{x + 6} {middle + 6}M{x - 6} {middle + 6}L{x + 6} {middle - 6}"
        )
        return f'<path class="crash" d="{shape}"><title>{title}</title></path>'
    style = "halt" if event.kind == "halted" or event.code else "exit"
    return (
        f'<rect class="{style}" x="{x - 5}" y="{middle - 5}" width="10" height="10">'
        f"<title>{title}</title></rect>"
    )


def _clients(scale: Scale, case: Case, y: int) -> list[str]:
    drawn = []
    for op in case.evidence.operations:
        ended = op.acknowledged_ns or (op.attempts[-1].returned_ns if op.attempts else None)
        x = scale.x(ended if ended is not None else op.invoked_ns)
        title = escape(f"{op.kind} {op.request_id}: {op.outcome} at {seconds(ended)}")
        drawn.append(
            f'<circle class="op {op.outcome}" cx="{x}" cy="{y + 13}" r="3.5">'
            f"<title>{title}</title></circle>"
        )
    return drawn


def _moments(scale: Scale, case: Case, height: int) -> list[str]:
    """Draw when all was healed and settled; their words make room for each other."""
    healed, settled = case.about.healed_ns, case.about.quiescent_ns
    places = [scale.x(ns) if ns else None for ns in (healed, settled)]
    near = None not in places and abs(places[1] - places[0]) < _WORD  # type: ignore[operator]
    drawn = []
    for x, word, side in zip(places, ("healed", "settled"), ("before", "after"), strict=True):
        if x is not None:
            style = f"word {side}" if near else "word"
            drawn += [
                f'<line class="moment" x1="{x}" x2="{x}" y1="{TOP - 8}" y2="{height - 20}"/>',
                f'<text class="{style}" x="{x}" y="{TOP - 14}">{word}</text>',
            ]
    return drawn
