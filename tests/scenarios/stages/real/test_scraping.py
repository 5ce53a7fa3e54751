"""Scraping real programs: what they tell is kept by incarnation, who is silent is left out."""

import socket
import threading
from contextlib import closing
from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram

from scenarios.stages.real.scraping import Scraper, read
from system.metrics_http import Listen, serving
from tests.system.gateway.ports import free_port


def registry() -> CollectorRegistry:
    found = CollectorRegistry()
    Counter("things", "Things seen", ["kind"], registry=found).labels("a").inc(3)
    Histogram("waits_seconds", "Waits", registry=found).observe(2)
    return found


def scraped(ports: dict[str, int], living: Any, times: int) -> Scraper:
    """A scraper that has looked so often."""
    enough = threading.Event()
    looked = iter(range(times - 1))

    def now() -> int:
        at = next(looked, None)
        if at is None:
            enough.set()
        return (at if at is not None else times) * 10**9

    scraper = Scraper(ports, living, now)
    scraper._scrapes.every_ns = 1
    scraper.start()
    assert enough.wait(20)
    scraper.stop()
    return scraper


def test_series_are_read_without_buckets() -> None:
    text = (
        'a_total{x="1"} 2.0\na_created{x="1"} 9.0\nb_bucket{le="1"} 1.0\nb_sum 4.5\nb_count 1.0\n'
    )

    assert read(f"# TYPE a counter\n# TYPE b histogram\n{text}")[("b_sum", ())] == 4.5


def test_who_lives_and_answers_is_kept_and_who_does_not_is_left_out() -> None:
    programs = {
        name: SimpleNamespace(incarnation=number, alive=True)
        for number, name in enumerate(("answers", "hangs", "refuses"), 1)
    }
    port = free_port()
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as hanging,
        serving(registry(), Listen(port=port)),
    ):
        ports = {"answers": port, "hangs": hanging.getsockname()[1], "refuses": free_port()}
        scraper = scraped({**ports, "dead": port}, programs.get, 2)

    found = scraper.samples()
    assert {(one.process, one.incarnation) for one in found} == {("answers", 1)}
    told = {(one.name, tuple(one.labels.values())): one.value for one in found}
    assert told[("things_total", ("a",))] == 3
    assert told[("waits_seconds_sum", ())] == 2
    assert not any(one.name.endswith(("_bucket", "_created")) for one in found)
