"""The campaign page: what many seeds found, and whether they were a test at all."""

from typing import Any

import msgspec

from reports.amounts import money, seconds
from reports.pages.html import asset, environment


class Failures(msgspec.Struct, frozen=True, kw_only=True):
    """Runs that failed in the same way; ``first`` is the seed to look at."""

    invariant: str
    code: str
    text: str
    seeds: tuple[int, ...]
    command: str
    report: str = ""

    @property
    def broken(self) -> bool:
        """Whether a promise was broken, rather than left without a verdict."""
        return self.invariant not in ("unknown", "nondeterministic")

    @property
    def first(self) -> int:
        """The smallest seed that shows it."""
        return min(self.seeds)


class Campaign(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of a hunt. ``bitten`` and ``reached`` count seeds.

    ``killed`` counts programs killed by moment, ``killed_starting`` those that were not ready yet;
    ``moved`` is what the ``rows`` of the ledger that held moved, per asset in raw integers.
    ``servers`` is empty in a simulated world.
    """

    scenario: str
    seeds: int
    jobs: int
    real_s: float
    virtual_ns: int
    verdicts: dict[str, int]
    planned: dict[str, int] = {}
    bitten: dict[str, int] = {}
    sometimes: tuple[str, ...] = ()
    reached: dict[str, int] = {}
    halts: dict[str, int] = {}
    crashes: int = 0
    operations: int = 0
    killed: dict[str, int] = {}
    killed_starting: int = 0
    rows: int = 0
    moved: dict[int, int] = {}
    servers: str = ""
    seeds_bitten: int = 0
    interrupted: bool = False
    failures: tuple[Failures, ...] = ()

    @property
    def verdict(self) -> str:
        """The worst of all seeds."""
        for verdict in ("nondeterministic", "broken", "unknown"):
            if self.verdicts.get(verdict):
                return verdict
        return "held" if self.seeds else "unknown"


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def _mean(total: int, seeds: int, digits: int) -> str:
    return f"{total / seeds:.{digits}f}" if seeds else "-"


def _facts(campaign: Campaign) -> list[tuple[str, str]]:
    rate = campaign.seeds / campaign.real_s if campaign.real_s else 0.0
    ratio = campaign.virtual_ns / 1e9 / campaign.real_s if campaign.real_s else 0.0
    verdicts = ", ".join(f"{n} {name}" for name, n in sorted(campaign.verdicts.items()) if n)
    facts = [
        ("seeds", str(campaign.seeds)),
        ("verdicts", verdicts or "none"),
        ("real time", f"{campaign.real_s:.1f} s"),
        ("seeds in which a fault bit", _share(campaign.seeds_bitten, campaign.seeds)),
        ("crashes a seed", _mean(campaign.crashes, campaign.seeds, 2)),
        ("operations a seed", _mean(campaign.operations, campaign.seeds, 1)),
    ]
    if campaign.servers:
        facts.append(("real stage", campaign.servers))
    else:
        facts.insert(2, ("seeds/s", f"{rate:.1f} on {campaign.jobs} workers"))
        world = f"{seconds(campaign.virtual_ns)} ({ratio:,.0f} x real)"
        facts.insert(4, ("world time", world))
    if campaign.rows:
        facts.append(("ledger rows reconciled", f"{campaign.rows:,}"))
        moved = (money(raw, asset) for asset, raw in sorted(campaign.moved.items()))
        facts.append(("moved by them", ", ".join(moved)))
    return facts


def page(campaign: Campaign) -> str:
    """Return the page of a campaign as HTML."""
    signs = {"held": "✓ HELD", "broken": "✗ BROKEN", "unknown": "? UNKNOWN"}
    kinds = sorted(campaign.planned, key=lambda k: (-campaign.bitten.get(k, 0), k))
    faults: list[dict[str, Any]] = [
        {
            "kind": kind,
            "planned": campaign.planned[kind],
            "bitten": campaign.bitten.get(kind, 0),
            "share": _share(campaign.bitten.get(kind, 0), campaign.seeds),
        }
        for kind in kinds
    ]
    wanted = campaign.sometimes if campaign.seeds else ()  # else there was no chance to reach any
    goals = [(goal, campaign.reached.get(goal, 0)) for goal in wanted]
    verdict = campaign.verdict
    return (
        environment()
        .get_template("campaign.html.j2")
        .render(
            campaign=campaign,
            verdict="broken" if verdict == "nondeterministic" else verdict,
            sign=signs.get(verdict, f"✗ {verdict.upper()}"),
            facts=_facts(campaign),
            faults=faults,
            goals=goals,
            kills=sorted(campaign.killed.items(), key=lambda item: (-item[1], item[0])),
            failures=sorted(campaign.failures, key=lambda f: (-len(f.seeds), f.first)),
            style=asset("style.css"),
            script=asset("report.js"),
        )
    )
