"""``wavetank hunt``: many seeds, a line of progress, a summary that says what was tested."""

import itertools
import signal
import sys
import time

import click
import msgspec

from reports.amounts import money
from reports.pages.campaign import Failures
from scenarios import catalog
from scenarios.commands import campaigns
from scenarios.errors import WavetankError
from scenarios.hunt import Campaign
from scenarios.hunt import hunt as run_hunt
from scenarios.scenario import Scenario

_GROUPS_KEPT = 5  # failures of which a run folder is written


def hunt(
    name: str, seeds: int | None, minutes: float | None, first: int, jobs: int, runs: str
) -> int:
    """Hunt, summarise, keep the first failure of each kind; return the exit code."""
    from scenarios.stages import simulated  # noqa: F401, PLC0415 - the doors, before any program

    scenario = catalog.find(name)
    count = seeds or (None if minutes else 1000)
    order = itertools.count(first) if count is None else iter(range(first, first + count))
    place = campaigns.room(runs, name)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # whoever ends us gets the summary
    progress = _Progress(count)
    campaign = run_hunt(
        name,
        order,
        jobs=jobs,
        seconds=minutes * 60 if minutes else None,
        progress=progress.show,
    )
    progress.done()
    click.echo(summary(scenario, campaign))
    failures = campaigns.groups(scenario, campaign)
    folder = campaigns.made(place)
    page = campaigns.write(folder, scenario, campaign, failures)
    if failures:
        failures = [_shown(scenario, group, i, runs) for i, group in enumerate(failures)]
        campaigns.write(folder, scenario, campaign, failures)
    click.echo(f"\n  campaign  {page}")
    if campaign.hopeless:
        click.echo(f"wavetank: {campaign.hopeless}", err=True)
    return code(campaign)


def code(campaign: Campaign) -> int:
    """Return the exit code of a campaign."""
    if campaign.verdicts["nondeterministic"]:
        return 4
    if campaign.verdicts["broken"]:
        return 1
    if campaign.interrupted:
        return 130
    if campaign.died:
        return 75
    return 3 if campaign.verdicts["unknown"] or not campaign.seeds else 0


def summary(scenario: Scenario, campaign: Campaign) -> str:
    """Say what was found, and whether it was a test at all."""
    rate = campaign.seeds / campaign.real_s if campaign.real_s else 0.0
    verdicts = ", ".join(f"{count} {name}" for name, count in sorted(campaign.verdicts.items()))
    headline = (
        f"{scenario.name}: {campaign.seeds} seeds in {campaign.real_s:.1f} s "
        f"({rate:.1f} seeds/s on {campaign.jobs} workers): {verdicts or 'nothing ran'}"
        f"{' - interrupted' if campaign.interrupted else ''}"
    )
    if not campaign.seeds:
        return f"\n{headline}"
    lines = ["", headline, *_extent(campaign), *_faults(campaign)]
    if campaign.killed:
        lines += ["", *_kills(campaign)]
    if scenario.sometimes:
        lines += ["", f"  {'sometimes':<34}{'reached':>9}"]
        for goal in scenario.sometimes:
            times = campaign.reached[goal]
            lines.append(f"  {goal:<34}{times:>9}{'' if times else '   NOT REACHED'}")
    for halt, times in sorted(campaign.halts.items()):
        lines.append(f"  halted: {halt} in {times} seeds")
    return "\n".join(lines)


def _extent(campaign: Campaign) -> list[str]:
    """Say how much was played, and where."""
    seeds = campaign.seeds
    return [
        (
            f"  on the real stage, {campaign.servers}"
            if campaign.servers
            else f"  simulated {campaign.virtual_ns / 3.6e12:.1f} h, {campaign.events} events"
        ),
        (
            f"  a fault bit in {100 * campaign.seeds_bitten / seeds:.1f} % of the seeds; "
            f"on average {campaign.crashes / seeds:.2f} program crashes and "
            f"{campaign.operations / seeds:.1f} operations a seed"
        ),
    ]


def _faults(campaign: Campaign) -> list[str]:
    """Say how often each kind of fault was planned, and bit."""
    if not campaign.planned:
        return []
    lines = ["", f"  {'fault':<34}{'planned':>9}{'bit':>9}{'of seeds':>11}"]
    for kind in sorted(campaign.planned, key=lambda k: (-campaign.bitten[k], k)):
        bit = campaign.bitten[kind]
        share = f"{100 * bit / campaign.seeds:.1f} %"
        mark = "" if bit else "   never bit"
        lines.append(f"  {kind:<34}{campaign.planned[kind]:>9}{bit:>9}{share:>11}{mark}")
    return lines


def _kills(campaign: Campaign) -> list[str]:
    """Say when programs were killed, and what was reconciled in spite of it."""
    moved = ", ".join(money(raw, asset) for asset, raw in sorted(campaign.moved.items()))
    return [
        (
            f"  {campaign.killed.total()} programs killed, {campaign.killed_starting} of them "
            "before they were ready"
        ),
        *(f"  {moment:<34}{times:>9}" for moment, times in campaign.killed.most_common()),
        f"  {campaign.operations} operations; {campaign.rows} ledger rows reconciled: {moved}",
    ]


def _shown(scenario: Scenario, group: Failures, place: int, runs: str) -> Failures:
    """Print a group of failures; keep the run of its first seed, if it is one of the first."""
    seeds, shown = group.seeds, ", ".join(map(str, group.seeds[:5]))
    title = f"{group.invariant} {group.code}" if group.broken else group.code
    click.echo(f"\n  {title}: {len(seeds)} seeds, first {shown}\n    {group.command}")
    if place >= _GROUPS_KEPT or not group.broken:
        return group
    try:
        report = _write_run(scenario, seeds[0], runs)
    except WavetankError as error:
        click.echo(f"    no report: {error}")
        return group
    click.echo(f"    report  {report}")
    return msgspec.structs.replace(group, report=report)


def _write_run(scenario: Scenario, seed: int, runs: str) -> str:
    from scenarios.commands import running  # noqa: PLC0415 - only after a failure
    from scenarios.stages import simulated  # noqa: PLC0415

    return running.keep(simulated.run(scenario, seed, keep_trace=True, sampled=True), runs)


class _Progress:
    """One line, rewritten on a terminal, printed now and then elsewhere."""

    def __init__(self, count: int | None) -> None:
        self.count = count
        self.terminal = sys.stderr.isatty()
        self.shown = time.monotonic()

    def show(self, campaign: Campaign) -> None:
        now = time.monotonic()
        if now - self.shown < (0.2 if self.terminal else 30):
            return
        self.shown = now
        total = f"/{self.count}" if self.count else ""
        quiet = sorted(set(campaign.planned) - set(campaign.bitten))
        line = (
            f"{campaign.seeds}{total} seeds  {campaign.seeds / max(campaign.real_s, 1e-9):.1f}/s  "
            f"held {campaign.verdicts['held']}  broken {campaign.verdicts['broken']}  "
            f"unknown {campaign.verdicts['unknown']}  "
            f"{len(campaign.bitten)} kinds of faults have bitten"
            + (f", not yet: {', '.join(quiet[:2])}" if quiet else "")
        )
        end = "\r" if self.terminal else "\n"
        sys.stderr.write(line[:150].ljust(150 if self.terminal else 0) + end)
        sys.stderr.flush()

    def done(self) -> None:
        """Leave the line."""
        if self.terminal:
            sys.stderr.write("\n")
