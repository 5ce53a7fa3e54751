"""A throttled broker, at its proxies: Produce and Fetch wait for the quota, nothing else does."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from scenarios import catalog
from scenarios.backends.remote import Remote, read
from scenarios.stages.real import counterparts
from scenarios.stages.real.proxies.weather import Passage
from scenarios.stages.real.town import RealTown
from sim.faults import Receipt, Throttle

_SERVERS = {("kafka", "bootstrap"): "127.0.0.1:1", ("scylla", "contact_points"): ["127.0.0.1"]}
_RATE = 300
_ALLOWED = 10 * _RATE  # over the windows that a rate is taken of
_SECOND = 10**9


@contextmanager
def throttled(folder: Path) -> Iterator[tuple[RealTown, Receipt]]:
    servers = Remote(read(None, _SERVERS, {}))
    with RealTown(catalog.find("nine_deposits"), servers, folder, plan=()) as town:
        with counterparts.injected(Throttle("kafka-1", _RATE), town) as receipt:
            yield town, receipt
        assert not town.weather.fate(
            Passage("ubscore-1", "kafka-1", "Produce", bytes(10**6))
        ).delay_ns


def test_what_is_above_the_quota_waits_and_counts_as_a_bite(tmp_path: Path) -> None:
    with throttled(tmp_path) as (town, receipt):
        sent = Passage("ubscore-1", "kafka-1", "Produce", bytes(_ALLOWED))
        read = Passage("kafka-1", "settlement-1", "FetchResponse", bytes(_ALLOWED + _RATE // 2))

        first, second = town.weather.fate(sent), town.weather.fate(sent)
        answer = town.weather.fate(read)

    assert first.delay_ns == 0
    assert second.delay_ns == _SECOND  # ten would be due: as long as no broker seems dead
    assert abs(answer.delay_ns - _SECOND // 2) < _SECOND // 50
    assert receipt.effects == {"requests throttled": 2}


def test_clients_have_quotas_of_their_own_and_only_at_the_broker_named(tmp_path: Path) -> None:
    with throttled(tmp_path) as (town, receipt):
        size = bytes(_ALLOWED)
        passing = [
            Passage("ubscore-1", "kafka-1", "Produce", size),
            Passage("gateway-1", "kafka-1", "Produce", size),
            *[Passage("ubscore-1", "kafka-2", "Produce", size)] * 2,
            *[Passage("ubscore-1", "kafka-1", "Metadata", size)] * 2,
            *[Passage("kafka-1", "ubscore-1", "ProduceResponse", size)] * 2,
        ]

        delays = [town.weather.fate(each).delay_ns for each in passing]

    assert not any(delays)
    assert not receipt.bites
