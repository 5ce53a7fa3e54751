"""A load for people and programs: text, JSON and one HTML page."""

from collections.abc import Sequence
from typing import Any

import msgspec

from reports.breaks import Break
from reports.load import Load
from reports.pages import plot
from reports.pages.html import asset, environment, hop_rows
from reports.pages.text import SIGNS, columns

_BREAKS_SHOWN = 10
MEANING = (
    "Latencies count from when a request was meant to be sent, whether or not it could be."
    " Acknowledged is what the sender saw; decided is the LogAppendTime of the event, to a"
    " millisecond; settled is when a committed offset of Settlement's group beyond the event was"
    " seen (asked for every 25 ms), after its rows were acknowledged: an upper bound."
)


def summary(load: Load, folder: str) -> str:
    """Return the page as text."""
    sign = SIGNS[load.verdict] + ("" if load.verdict == "held" else " - the figures do not count")
    parts = [
        f"{sign}  load on {load.name}, {load.servers}",
        "\n".join(f"  {name:<12}{value}" for name, value in facts(load)),
        "\n".join(columns(latency_rows(load))),
        "\n".join(columns(trial_rows(load))) if load.trials else "",
        "\n".join(columns(usage_rows(load))) if load.usage else "",
        "\n".join(f"  fault  {band.fault}: {band.effects}" for band in load.bands),
        "\n".join(f"  not tested: {what}" for what in load.untested),
        "\n".join(f"  {found}" for found in all_breaks(load)[:_BREAKS_SHOWN]),
        "\n".join(f"  not known: {why}" for why in load.unknown),
        "\n".join(f"  note: {note}" for note in load.notes),
        f"  report  {folder}/report.html" if folder else "",
    ]
    return "\n\n".join(part for part in parts if part)


def all_breaks(load: Load) -> list[Break]:
    """Return the breaks of requests, then those that the reconciliation found."""
    return [*load.breaks, *(load.outcome.breaks if load.outcome else ())]


def facts(load: Load) -> list[tuple[str, str]]:
    """Return what was measured, in words."""
    counts = load.counts
    instances = ", ".join(f"{n} x {name}" for name, n in load.instances.items() if n)
    bound = "" if load.bound_ms is None else f", the highest with p99 <= {load.bound_ms:g} ms"
    found = [
        ("load", f"{load.rate:,.0f} requests/s {load.spacing}, through {load.through}{bound}"),
        ("measured", f"{load.measured_s:g} s after {load.warm_up_s:g} s of warm-up"),
        ("offered", f"{load.offered_s:,.0f} requests/s"),
        ("settled", f"{load.settled_s:,.0f} requests/s, {load.rows_s:,.0f} rows/s"),
        ("requests", _counted(load)),
        ("answers", ", ".join(f"{n:,} {name}" for name, n in counts.answers.items()) or "none"),
        ("programs", instances),
    ]
    if load.baseline is not None and load.ratio is not None:
        rates = ", ".join(f"{rate:,.0f}" for rate in load.baseline.rows_s)
        found.append(
            ("bare client", f"{rates} rows/s; settled rows are {100 * load.ratio:.0f} % of it")
        )
    return found


def _counted(load: Load) -> str:
    counts = load.counts
    named = (("acknowledged", counts.acknowledged), ("settled", counts.settled))
    rare = (("refused", counts.refused), ("without an answer", counts.unknown))
    words = [f"{n:,} {name}" for name, n in (*named, *((w, n) for w, n in rare if n))]
    return f"{counts.sent:,} sent, {', '.join(words)}"


Rows = list[Sequence[str]]


def latency_rows(load: Load) -> list[list[str]]:
    """Return the percentiles as a table with its head."""
    head = ["latency in ms", "requests", "p50", "p90", "p99", "p99.9", "max"]
    return [head] + [
        [each.name, f"{each.count:,}"]
        + [f"{ms:,.1f}" for ms in (each.p50_ms, each.p90_ms, each.p99_ms, each.p999_ms)]
        + [f"{each.max_ms:,.1f}"]
        for each in load.latencies
    ]


def usage_rows(load: Load) -> list[list[str]]:
    """Return CPU time by program as a table with its head."""
    requests = load.settled_s * load.measured_s
    return [["CPU", "seconds", "of a core", "us a request"]] + [
        [
            each.name,
            f"{each.cpu_s:.1f}",
            f"{100 * each.cpu_s / load.measured_s:.0f} %",
            f"{1e6 * each.cpu_s / requests:.0f}" if requests else "-",
        ]
        for each in load.usage
    ]


def trial_rows(load: Load) -> list[list[str]]:
    """Return what the search tried as a table with its head."""
    return [["tried", "settled", "p99 in ms", ""]] + [
        [
            f"{each.rate:,.0f}/s",
            f"{each.settled_rate:,.0f}/s",
            f"{each.p99_ms:,.1f}",
            "held" if each.held else each.why,
        ]
        for each in load.trials
    ]


def as_json(load: Load) -> bytes:
    """Return the figures; amounts and breaks of the reconciliation are in a file of their own."""
    fields: dict[str, Any] = {
        name: getattr(load, name) for name in load.__struct_fields__ if name != "outcome"
    }
    fields["ratio"] = load.ratio
    return msgspec.json.format(msgspec.json.encode(fields), indent=1) + b"\n"


def page(load: Load, folder: str) -> str:
    """Return the page as HTML."""
    statement = load.outcome.statement if load.outcome else None
    return (
        environment()
        .get_template("load.html.j2")
        .render(
            load=load,
            sign=SIGNS[load.verdict],
            facts=facts(load),
            meaning=MEANING,
            plot=plot.draw(load),
            tables=[
                ("Latency", MEANING, latency_rows(load)),
                ("Search", "Each rate for a while; the next one halves the gap.", trial_rows(load)),
                ("Where the time goes", "CPU time within the measured window.", usage_rows(load)),
            ],
            breaks=[str(found) for found in all_breaks(load)],
            hops=hop_rows(statement) if statement else [],
            assets=statement.assets if statement else [],
            command=load.command,
            folder=folder,
            style=asset("style.css"),
            script=asset("report.js"),
        )
    )
