"""A load for people and programs: text, JSON and one HTML page."""

from collections.abc import Sequence
from typing import Any

import msgspec

from reports.breaks import Break
from reports.load import KEEPS_UP, Band, Load, Whole
from reports.pages import plot
from reports.pages.html import asset, environment, hop_rows
from reports.pages.text import SIGNS, columns

_BREAKS_SHOWN = 10
_BUSY = 0.95
_QUEUES = {
    "sent": "before the load generator itself, which is too slow for this machine",
    "acknowledged": "for the gateway, or for Kafka behind it",
    "decided": "for UBSCore",
    "settled": "for Settlement, or for the database behind it",
}
MEANING = (
    "Latencies count from when a request was meant to be sent, whether or not it could be."
    " Sent is when the load generator came to it."
    " Acknowledged is what the sender saw; decided is the LogAppendTime of the event, to a"
    " millisecond; settled is when a committed offset of Settlement's group beyond the event was"
    " seen (asked for every 50 ms), after its rows were acknowledged: an upper bound."
)

USAGE = "CPU time from the first request until all had settled, by stage: all programs of a name."


def summary(load: Load, folder: str) -> str:
    """Return the page as text."""
    sign = SIGNS[load.verdict] + ("" if load.verdict == "held" else " - the figures do not count")
    parts = [
        f"{sign}  {load.title}, {load.servers}",
        "\n".join(f"  {name:<12}{value}" for name, value in facts(load)),
        "\n".join(columns(latency_rows(load))),
        "\n".join(columns(trial_rows(load))) if load.trials else "",
        "\n".join(columns(rows)) if (rows := usage_rows(load)) else "",
        f"  limit: {limit(load)}" if limit(load) else "",
        "\n".join(f"  fault  {_times(band)}  {band.fault}: {band.effects}" for band in load.bands),
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
    highest = ", the highest that held" if load.trials else ""
    found = [
        ("load", f"{load.rate:,.0f} requests/s {load.spacing}, through {load.through}{highest}"),
        ("measured", f"{round(load.measured_s, 1):g} s after {load.warm_up_s:g} s of warm-up"),
        ("offered", f"{load.offered_s:,.0f} requests/s"),
        ("settled", f"{load.settled_s:,.0f} requests/s, {load.rows_s:,.0f} rows/s"),
        ("all of it", "nothing" if load.whole is None else _whole(load.whole)),
        ("requests", _counted(load)),
        ("answers", ", ".join(f"{n:,} {name}" for name, n in counts.answers.items()) or "none"),
        ("programs", instances),
    ]
    if load.bound_ms is not None and load.whole is not None:
        p99_ms = next(each.p99_ms for each in load.latencies if each.name == "settled")
        held = "held" if p99_ms <= load.bound_ms else "not held"
        measured = f"{held} in the measured load: {p99_ms:,.0f} ms"
        found.append(("bound", f"p99 of settled <= {load.bound_ms:g} ms, {measured}"))
    if load.machine is not None:
        machine = load.machine
        found.append(("machine", f"{machine.cores} cores, {100 * machine.busy:.0f} % busy"))
    if load.baseline is not None and load.ratio is not None:
        rates = ", ".join(f"{rate:,.0f}" for rate in load.baseline.rows_s)
        found.append(
            ("bare client", f"{rates} rows/s; settled rows are {100 * load.ratio:.0f} % of it")
        )
    return found


def _whole(whole: Whole) -> str:
    rates = f"{whole.requests_s:,.0f} requests/s, {whole.rows_s:,.0f} rows/s"
    return f"settled {whole.lasts_s:,.1f} s after its start: {rates}"


def _counted(load: Load) -> str:
    counts = load.counts
    named = (("acknowledged", counts.acknowledged), ("settled", counts.settled))
    rare = (("refused", counts.refused), ("without an answer", counts.unknown))
    words = [f"{n:,} {name}" for name, n in (*named, *((w, n) for w, n in rare if n))]
    return f"{counts.sent:,} sent, {', '.join(words)}"


def _times(band: Band) -> str:
    if band.from_s is None:
        return "never came"
    return (
        f"{band.from_s:.1f} s" if band.to_s is None else f"{band.from_s:.1f} to {band.to_s:.1f} s"
    )


Rows = list[Sequence[str]]


def latency_rows(load: Load) -> list[list[str]]:
    """Return the percentiles as a table with its head."""
    head = ["latency in ms", "requests", "a second", "p50", "p90", "p99", "p99.9", "max"]
    rows = [head]
    for each in load.latencies:
        parts = (each.p50_ms, each.p90_ms, each.p99_ms, each.p999_ms, each.max_ms)
        shown = [f"{ms:,.1f}" if each.count else "-" for ms in parts]
        rows.append([each.name, f"{each.count:,}", f"{each.rate_s:,.0f}", *shown])
    return rows


def usage_rows(load: Load) -> list[list[str]]:
    """Return CPU time by stage as a table with its head; a stage is all programs of a name."""
    if load.whole is None:
        return []
    lasts_s, requests = load.whole.lasts_s, load.whole.requests_s * load.whole.lasts_s
    stages: dict[str, float] = {}
    for each in load.usage:
        stages[each.stage] = stages.get(each.stage, 0.0) + each.cpu_s
    busiest = sorted(stages.items(), key=lambda stage: -stage[1])
    rows = [*busiest, ("all of these", sum(stages.values()))]
    return [["CPU", "seconds", "of a core", "us a request"]] + [
        [name, f"{cpu_s:.1f}", f"{100 * cpu_s / lasts_s:.0f} %", f"{1e6 * cpu_s / requests:.0f}"]
        for name, cpu_s in rows
    ]


def limit(load: Load) -> str:
    """Say where requests queued, if the deployment did not keep up with the load."""
    rates = {each.name: each.rate_s for each in load.latencies}
    if load.bands or load.interrupted or rates["settled"] >= KEEPS_UP * load.offered_s:
        return ""
    before = load.offered_s
    where = "at no stage alone"
    for name, rate in rates.items():
        if rate < KEEPS_UP * before:
            where = _QUEUES[name]
            break
        before = rate
    steps = ", ".join(f"{rate:,.0f} {name}" for name, rate in rates.items())
    busy = load.machine is not None and load.machine.busy > _BUSY
    return (
        f"it did not keep up with {load.offered_s:,.0f} requests/s ({steps}): they queued {where}"
        + ("; all cores of the machine were busy" if busy else "")
    )


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
            limit=limit(load),
            plot=plot.draw(load),
            tables=[
                ("Latency", MEANING, latency_rows(load)),
                (
                    "Search",
                    "Doubled until a rate fails; then each halves the gap.",
                    trial_rows(load),
                ),
                ("Where the time goes", USAGE, usage_rows(load)),
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
