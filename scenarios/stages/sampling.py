"""Sampling: what every program's metrics are, now and then in the time of the world.

It looks from outside, between two events, at the registries that Prometheus would scrape: nothing
in the world can notice, so a sampled run has the digest of any other.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from reports.evidence import Sample
from sim.process import Process

if TYPE_CHECKING:  # programs use it, so it must not be loaded before the doors hang
    from prometheus_client import CollectorRegistry

_SCRAPES_MAX = 400  # of all programs; then every second one is dropped, and half as many made
_LEFT_OUT = ("_bucket", "_created")
_Key = tuple[str, tuple[tuple[str, str], ...]]
_UP: _Key = ("up", ())


class _Scrape(NamedTuple):
    at_ns: int
    found: dict[tuple[str, int], dict[_Key, float]]  # by program and incarnation


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
        self._every_ns = every_ns
        self._due_ns = 0
        self._scrapes: list[_Scrape] = []
        self._registries: list[tuple[str, CollectorRegistry]] = []  # in order of their making
        self._of: dict[tuple[str, int], CollectorRegistry] = {}

    def noticing(self, name: str, program: Any) -> Noticed:
        """Return a program that tells of its registries; it runs as process `name`."""
        return Noticed(program, lambda registry: self._registries.append((name, registry)))

    def look(self, now_ns: int, living: Callable[[str], Process | None]) -> None:
        """Scrape if it is time."""
        if now_ns < self._due_ns:
            return
        self._due_ns = now_ns + self._every_ns
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
        self._scrapes.append(_Scrape(now_ns, {key: _read(one) for key, one in alive.items()}))
        if len(self._scrapes) > _SCRAPES_MAX:
            del self._scrapes[::2]
            self._every_ns *= 2

    def samples(self) -> tuple[Sample, ...]:
        """Return each value where it changed; `up` is 1 while a program lives, then 0."""
        made: list[Sample] = []
        last: dict[tuple[str, int], dict[_Key, float]] = {}
        for at_ns, found in self._scrapes:
            ended = [key for key in last if key not in found]
            made += [_sample(key, at_ns, _UP, 0.0) for key in ended]
            for key in ended:
                del last[key]
            for key, values in found.items():
                before = last.get(key, {})
                values[_UP] = 1.0
                for series, value in values.items():
                    if before.get(series) != value:
                        made.append(_sample(key, at_ns, series, value))
                last[key] = values
        return tuple(made)


def _sample(key: tuple[str, int], at_ns: int, series: _Key, value: float) -> Sample:
    name, labels = series
    return Sample(
        process=key[0],
        incarnation=key[1],
        at_ns=at_ns,
        name=name,
        labels=dict(labels),
        value=value,
    )


def _read(registry: "CollectorRegistry") -> dict[_Key, float]:
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in registry.collect()
        for sample in family.samples
        if not sample.name.endswith(_LEFT_OUT)
    }
