"""Tokens: one line from which a run can be made again, or which says why it cannot.

``wt1:SCENARIO:DIGEST:SEED:VERSIONS``, where DIGEST is of the scenario and VERSIONS name what a
run depends on. A seed alone replays nothing: another version may order events differently.
A run whose plan is not the one that its seed draws has it at the end, behind another colon.
"""

import hashlib
import platform
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from pathlib import Path

from scenarios import plan_text
from scenarios.errors import UsageError
from scenarios.scenario import Plan, Scenario

FORMAT = "wt1"
SEED_MAX = 2**63 - 1
_ROOT = Path(__file__).resolve().parent.parent
_PACKAGES = ("simpy", "greenlet", "confluent-kafka", "cassandra-driver", "msgspec", "kio")


@dataclass(frozen=True, slots=True)
class Token:
    """A scenario, its digest, a seed, and the versions they were run with.

    `plan` is one that was given; None: the one that the seed draws.
    """

    scenario: str
    digest: str
    seed: int
    versions: tuple[tuple[str, str], ...]
    plan: Plan | None = None

    def __str__(self) -> str:
        parts = "+".join(f"{name}={version}" for name, version in self.versions)
        plan = "" if self.plan is None else f":{plan_text.packed(self.plan)}"
        return f"{FORMAT}:{self.scenario}:{self.digest}:{self.seed}:{parts}{plan}"

    @classmethod
    def of(cls, scenario: Scenario, seed: int, plan: Plan | None = None) -> "Token":
        """Return the token of a run made here and now."""
        return cls(scenario.name, scenario_digest(scenario), seed, versions(), plan)

    @classmethod
    def parse(cls, text: str) -> "Token":
        """Read a token; `UsageError` says what is wrong with it."""
        parts = text.strip().split(":")
        if parts[0] != FORMAT:
            raise UsageError(
                f"{parts[0]!r} is not a token format this version knows (it writes {FORMAT!r}); "
                "replay it with the version of Wavetank that printed it"
            )
        if len(parts) not in {5, 6}:
            raise UsageError(
                f"token {text!r} is not {FORMAT}:SCENARIO:DIGEST:SEED:VERSIONS, with or without"
                " a :PLAN behind it"
            )
        pairs = tuple(
            (name, version) for name, _, version in (p.partition("=") for p in parts[4].split("+"))
        )
        plan = plan_text.unpacked(parts[5]) if len(parts) == 6 else None
        return cls(parts[1], parts[2], seed_of(parts[3]), pairs, plan)

    def differences(self, other: "Token") -> list[str]:
        """Return, in words, which parts of the two tokens differ."""
        found = []
        if self.digest != other.digest:
            found.append(f"scenario {self.scenario}: {self.digest} then, {other.digest} now")
        then, now = dict(self.versions), dict(other.versions)
        found += [
            f"{name}: {then.get(name)} then, {now.get(name)} now"
            for name in sorted(then.keys() | now.keys())
            if then.get(name) != now.get(name)
        ]
        return found


def seed_of(text: str) -> int:
    """Read a seed; `UsageError` if it is none that a run could have."""
    decimal = text.isascii() and text.isdecimal() and len(text) <= len(str(SEED_MAX))
    if not decimal or int(text) > SEED_MAX:
        raise UsageError(f"{text[:40]!r} is no seed: it is a number from 0 to {SEED_MAX}")
    return int(text)


def scenario_digest(scenario: Scenario) -> str:
    """Return eight hexadecimal digits over everything the scenario says."""
    plan = f"{scenario.plan.__module__}.{scenario.plan.__qualname__}"
    fields = {name: getattr(scenario, name) for name in scenario.__slots__ if name != "plan"}
    return hashlib.sha256(f"{plan} {fields!r}".encode()).hexdigest()[:8]


@cache
def versions() -> tuple[tuple[str, str], ...]:
    """Return what a run's course depends on, besides scenario and seed."""
    found = [("source", source_digest()), ("python", platform.python_version())]
    found += [(name, metadata.version(name)) for name in _PACKAGES]
    return tuple(found)


def source_digest() -> str:
    """Return eight hexadecimal digits over the programs and the simulator."""
    digest = hashlib.sha256()
    for package in ("sim", "system", "scenarios"):
        for path in sorted((_ROOT / package).rglob("*")):
            if path.suffix in (".py", ".lark", ".cql"):
                digest.update(str(path.relative_to(_ROOT)).encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:8]
