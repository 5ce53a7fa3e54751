"""Sampling: what every program's metrics are, now and then in the time of the world.

It looks from outside, between two events, at the registries that Prometheus would scrape: nothing
in the world can notice, so a sampled run has the digest of any other.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from reports.evidence import Sample
from scenarios.stages.scrapes import LEFT_OUT, Key, Scrapes
from sim.process import Process

if TYPE_CHECKING:  # programs use it, so it must not be loaded before the doors hang
    from prometheus_client import CollectorRegistry


class Noticed:
    """A program whose instances' registries somebody wants to know."""

    def __init__(self, program: Any, notice: Callable[["CollectorRegistry"], None]) -> None:
        self.name = program.name
        self.Config = program.Config
        self._program = program
        self._notice = notice

    def __call__(self, settings: Any) -> Any:
        """Make an instance as always."""
        instance = self._program(settings)
        metrics = getattr(instance, "metrics", None)
        if metrics is not None:
            self._notice(metrics.registry)
        return instance


class Sampler:
    """Scrapes all programs that live, whenever it is asked to look and it is time."""

    def __init__(self, every_ns: int) -> None:
        self._scrapes = Scrapes(every_ns)
        self._due_ns = 0
        self._registries: list[tuple[str, CollectorRegistry]] = []  # in order of their making
        self._of: dict[tuple[str, int], CollectorRegistry] = {}

    def noticing(self, name: str, program: Any) -> Noticed:
        """Return a program that tells of its registries; it runs as process `name`."""
        return Noticed(program, lambda registry: self._registries.append((name, registry)))

    def look(self, now_ns: int, living: Callable[[str], Process | None]) -> None:
        """Scrape if it is time."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + self._scrapes.every_ns
        for name, registry in self._registries:
            process = living(name)
            if process is not None:
                self._of[name, process.incarnation] = registry  # the latest is the living one's
        self._registries = [pair for pair in self._registries if living(pair[0]) is None]
        alive = {
            key: registry
            for key, registry in self._of.items()
            if (process := living(key[0])) is not None and process.incarnation == key[1]
        }
        self._scrapes.add(now_ns, {key: _read(one) for key, one in alive.items()})

    def samples(self) -> tuple[Sample, ...]:
        """Return what was seen until now."""
        return self._scrapes.samples()


def _read(registry: "CollectorRegistry") -> dict[Key, float]:
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith(LEFT_OUT)
    }
