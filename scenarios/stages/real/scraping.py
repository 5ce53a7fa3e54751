"""Scraping: what every program's metrics are, asked over HTTP as Prometheus does.

A thread of its own asks. A program that is paused, or starts, does not answer in time, one that is
killed may end within its answer: it is left out of that scrape; nothing of the run waits for it.
"""

import threading
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import closing
from http.client import HTTPException

from prometheus_client.parser import text_string_to_metric_families

from reports.evidence import Sample
from scenarios.stages.real.process import Program
from scenarios.stages.scrapes import LEFT_OUT, Key, Scrapes

_EVERY_NS = 500 * 10**6
_TIMEOUT_S = 0.5


class Scraper:
    """Asks each program at its port, from `start` to `stop`."""

    def __init__(
        self,
        ports: Mapping[str, int],
        living: Callable[[str], Program | None],
        now: Callable[[], int],
    ) -> None:
        self._ports = ports
        self._living = living
        self._now = now
        self._scrapes = Scrapes(_EVERY_NS)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scraper", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End; a question under way is given up."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_TIMEOUT_S * len(self._ports))

    def samples(self) -> tuple[Sample, ...]:
        """Return what was told until now."""
        return self._scrapes.samples()

    def _run(self) -> None:
        while not self._stopped.wait(self._scrapes.every_ns / 10**9):
            at_ns = self._now()
            told = {}
            for name, port in self._ports.items():
                program = self._living(name)
                values = None if program is None else _ask(port)
                if program is not None and values is not None and program.alive:
                    told[name, program.incarnation] = values
            self._scrapes.add(at_ns, told)


def _ask(port: int) -> dict[Key, float] | None:
    address = f"http://127.0.0.1:{port}/metrics"
    try:
        with closing(urllib.request.urlopen(address, timeout=_TIMEOUT_S)) as answer:
            return read(answer.read().decode())
    except (OSError, ValueError, HTTPException):  # it may be killed in the middle of its answer
        return None


def read(text: str) -> dict[Key, float]:
    """Return the series of a text in Prometheus' format."""
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if not sample.name.endswith(LEFT_OUT)
    }
