"""Campaign folders: what a hunt found, as one page and as JSON, beside the runs it kept.

Both are written before failures are run again for their reports, and once more afterwards: an
interruption at any moment leaves a valid pair.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import msgspec

from reports.pages.campaign import Campaign as Figures
from reports.pages.campaign import Failures, page
from scenarios.errors import Infrastructure
from scenarios.hunt import Campaign
from scenarios.results import Result
from scenarios.scenario import Scenario

PAGE, DATA = "campaign.html", "campaign.json"
_NAMES = 1000


def room(runs: str, scenario: str, kind: str = "campaign") -> Path:
    """Return where a campaign that begins now will be kept; fail before any time is spent on it.

    Nothing is there yet: who is killed before it has anything to keep leaves nothing behind.
    """
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    folder = made(Path(runs, scenario, f"{kind}-{stamp}"))
    folder.rmdir()
    return folder


def made(folder: Path) -> Path:
    """Make the folder of a campaign that has something to keep, under a name that nobody has."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        for name in _names(folder.name):
            with suppress(FileExistsError):
                folder.with_name(name).mkdir()
                return folder.with_name(name)
    except OSError as error:
        raise Infrastructure(
            f"{folder.parent}: {error.strerror}; the page of {folder.name} belongs there: "
            "make it writable, or name another place with --runs"
        ) from None
    raise Infrastructure(f"{folder} and {_NAMES - 1} more of that name are taken: move them away")


def _names(first: str) -> Iterator[str]:
    yield first
    for number in range(2, _NAMES + 1):
        yield f"{first}-{number}"


def groups(scenario: Scenario, campaign: Campaign) -> list[Failures]:
    """Return the seeds that did not hold, grouped by what broke first; the largest group first."""
    found: dict[tuple[str, str], list[Result]] = {}
    again = f" --stage real {campaign.servers}" if campaign.servers else ""
    for result in campaign.failures:
        found.setdefault(_kind(result), []).append(result)
    return [
        Failures(
            invariant=invariant,
            code=code,
            text=results[0].breaks[0].text if results[0].breaks else results[0].error,
            seeds=tuple(result.seed for result in results),
            command=f"wavetank run {scenario.name} --seed {results[0].seed}{again}",
        )
        for (invariant, code), results in sorted(
            found.items(), key=lambda item: (-len(item[1]), item[0])
        )
    ]


def _kind(result: Result) -> tuple[str, str]:
    if result.breaks:
        return result.breaks[0].invariant, result.breaks[0].code
    return result.verdict, result.error[:160]


def write(folder: Path, scenario: Scenario, campaign: Campaign, failures: list[Failures]) -> Path:
    """Write both files; return the page's path."""
    figures = Figures(
        scenario=scenario.name,
        seeds=campaign.seeds,
        jobs=campaign.jobs,
        real_s=campaign.real_s,
        virtual_ns=campaign.virtual_ns,
        verdicts=dict(campaign.verdicts),
        planned=dict(campaign.planned),
        bitten=dict(campaign.bitten),
        sometimes=scenario.sometimes,
        reached=dict(campaign.reached),
        halts=dict(campaign.halts),
        crashes=campaign.crashes,
        operations=campaign.operations,
        killed=dict(campaign.killed),
        killed_starting=campaign.killed_starting,
        rows=campaign.rows,
        moved=dict(campaign.moved),
        servers=campaign.servers,
        seeds_bitten=campaign.seeds_bitten,
        interrupted=campaign.interrupted,
        failures=tuple(failures),
    )
    try:
        _replace(folder / DATA, msgspec.json.format(msgspec.json.encode(figures), indent=1))
        _replace(folder / PAGE, page(figures).encode())
    except OSError as error:
        with suppress(OSError):
            folder.rmdir()  # unless the page of this campaign is there already
        raise Infrastructure(
            f"{folder}: {error.strerror}; the summary above is complete, free some space "
            "and run the hunt again to keep it"
        ) from None
    return folder / PAGE


def _replace(path: Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        fresh.write_bytes(content)
        os.replace(fresh, path)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
