"""Scraping real programs: what they tell is kept by incarnation, who is silent is left out."""

import contextlib
import itertools
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


def test_who_ends_in_the_middle_of_an_answer_is_left_out_and_asked_again() -> None:
    answers = itertools.chain(
        [b"HTTP/1.0 200 OK\r\nContent-Length: 99\r\n\r\n# TYPE", b"no HTTP at all\r\n\r\n"],
        itertools.repeat(b"HTTP/1.0 200 OK\r\n\r\n# TYPE a gauge\na 1.0\n"),
    )

    def answer(server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(next(answers))

    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        threading.Thread(target=answer, args=(server,), daemon=True).start()
        program = SimpleNamespace(incarnation=1, alive=True)
        scraper = scraped({"dying": server.getsockname()[1]}, lambda _: program, 4)

    assert ("a", 1.0) in {(one.name, one.value) for one in scraper.samples()}
