"""The dashboard as Grafana's JSON (schema 39 and later)."""

import json
from collections.abc import Iterator
from typing import Any

from reports.observability.asking import Panel, Query
from reports.observability.panels import ROWS

_WIDTH = 24
_SOURCE = {"type": "prometheus", "uid": "wavetank"}


def text() -> str:
    """Return the file."""
    return json.dumps(dashboard(), indent=1) + "\n"


def dashboard() -> dict[str, Any]:
    """Return the dashboard."""
    return {
        "uid": "wavetank",
        "title": "Wavetank",
        "tags": ["wavetank"],
        "schemaVersion": 39,
        "editable": False,
        "refresh": "10s",
        "time": {"from": "now-30m", "to": "now"},
        "timezone": "utc",
        "graphTooltip": 1,
        "panels": [{"id": number, **panel} for number, panel in enumerate(_panels(), 1)],
    }


def _panels() -> Iterator[dict[str, Any]]:
    y = 0
    for row in ROWS:
        yield {"type": "row", "title": row.title, "collapsed": False, "gridPos": _at(0, y, 24, 1)}
        x, y, tallest = 0, y + 1, 0
        for panel in row.panels:
            if x + panel.width > _WIDTH:
                x, y, tallest = 0, y + tallest, 0
            yield _panel(panel, _at(x, y, panel.width, panel.height))
            x, tallest = x + panel.width, max(tallest, panel.height)
        y += tallest


def _at(x: int, y: int, w: int, h: int) -> dict[str, int]:
    return {"x": x, "y": y, "w": w, "h": h}


def _panel(panel: Panel, at: dict[str, int]) -> dict[str, Any]:
    refs = "ABCDEFGH"[: len(panel.queries)]
    defaults: dict[str, Any] = {"unit": panel.unit}
    if not any(word in str(panel.queries) for word in ("difference", "deriv")):
        defaults["min"] = 0
    found = {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": _SOURCE,
        "gridPos": at,
        "targets": [_target(*pair) for pair in zip(panel.queries, refs, strict=True)],
        "fieldConfig": {"defaults": defaults, "overrides": []},
    }
    if panel.kind == "table":
        order = {"group": 0, "topic": 1, "partition": 2, "Value": 3}
        found["transformations"] = [
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True},
                    "indexByName": order,
                    "renameByName": {"Value": "lag"},
                },
            },
            {"id": "sortBy", "options": {"sort": [{"field": "lag", "desc": True}]}},
        ]
    else:
        found["options"] = {
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
            "tooltip": {"mode": "multi", "sort": "desc"},
        }
    return found


def _target(query: Query, ref: str) -> dict[str, Any]:
    target = {
        "refId": ref,
        "datasource": _SOURCE,
        "expr": query.expression,
        "legendFormat": query.legend,
    }
    return {**target, "instant": True, "format": "table"} if query.instant else target
