"""Scrapes: what programs told of themselves at certain times, thinned out as a run grows long."""

from typing import NamedTuple

from reports.evidence import Sample

_SCRAPES_MAX = 400  # then every second one is dropped, and half as many are made
LEFT_OUT = ("_bucket", "_created")

Key = tuple[str, tuple[tuple[str, str], ...]]  # name and labels of a series
Told = dict[tuple[str, int], dict[Key, float]]  # by program and incarnation
_UP: Key = ("up", ())


class _Scrape(NamedTuple):
    at_ns: int
    told: Told


class Scrapes:
    """All scrapes of a run."""

    def __init__(self, every_ns: int) -> None:
        self.every_ns = every_ns
        self._made: list[_Scrape] = []

    def add(self, at_ns: int, told: Told) -> None:
        """Keep what living programs told."""
        self._made.append(_Scrape(at_ns, told))
        if len(self._made) > _SCRAPES_MAX:
            del self._made[::2]
            self.every_ns *= 2

    def samples(self) -> tuple[Sample, ...]:
        """Return each value where it changed; `up` is 1 while a program lives, then 0."""
        made: list[Sample] = []
        last: Told = {}
        for at_ns, told in self._made:
            ended = [key for key in last if key not in told]
            made += [_sample(key, at_ns, _UP, 0.0) for key in ended]
            for key in ended:
                del last[key]
            for key, values in told.items():
                before = last.get(key, {})
                values[_UP] = 1.0
                for series, value in values.items():
                    if before.get(series) != value:
                        made.append(_sample(key, at_ns, series, value))
                last[key] = values
        return tuple(made)


def _sample(key: tuple[str, int], at_ns: int, series: Key, value: float) -> Sample:
    name, labels = series
    return Sample(
        process=key[0],
        incarnation=key[1],
        at_ns=at_ns,
        name=name,
        labels=dict(labels),
        value=value,
    )
