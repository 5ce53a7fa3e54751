"""Too few replicas in sync, at the proxies: batches are refused, and the answers say why."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kio.schema.errors import ErrorCode

from scenarios import catalog
from scenarios.backends.remote import Remote, read
from scenarios.stages.real import counterparts
from scenarios.stages.real.proxies import produce
from scenarios.stages.real.proxies.weather import Fate, Passage
from scenarios.stages.real.town import RealTown
from sim.faults import AlterRecord, Fault, Receipt, ShrinkIsr
from system.records import EVENTS, OUTPUTS
from tests.scenarios.stages.real.test_produce import VALUES, answered, batch, sent

_SERVERS = {("kafka", "bootstrap"): "127.0.0.1:1", ("scylla", "contact_points"): ["127.0.0.1"]}


@contextmanager
def harmed(fault: Fault, folder: Path) -> Iterator[tuple[RealTown, Receipt]]:
    servers = Remote(read(None, _SERVERS, {}))
    with (
        RealTown(catalog.find("nine_deposits"), servers, folder, plan=()) as town,
        counterparts.injected(fault, town) as receipt,
    ):
        yield town, receipt


def asked(town: RealTown, program: str) -> Fate:
    return town.weather.fate(Passage(program, "kafka-1", "Produce", sent(9, batch())))


def heard(town: RealTown, program: str, answer: bytes) -> Fate:
    return town.weather.fate(Passage("kafka-1", program, "ProduceResponse", answer))


def test_so_many_batches_are_refused_and_their_senders_hear_of_replicas(tmp_path: Path) -> None:
    with harmed(ShrinkIsr(OUTPUTS, 1), tmp_path) as (town, receipt):
        taken, other = asked(town, "engine-1"), asked(town, "engine-2")
        said = heard(town, "engine-1", answered(ErrorCode.corrupt_message))
        passed = heard(town, "engine-2", answered(ErrorCode.none))

    spoiled = produce.with_batch(sent(9, batch()), OUTPUTS, 2, produce.untakeable(batch()))
    assert taken == Fate(content=spoiled)
    assert said == Fate(content=answered(ErrorCode.not_enough_replicas))
    assert other == passed == Fate()
    assert receipt.effects == {"batches refused": 1}


def test_batches_of_another_topic_pass(tmp_path: Path) -> None:
    with harmed(ShrinkIsr(EVENTS, 3), tmp_path) as (town, receipt):
        assert asked(town, "engine-1") == Fate()

    assert not receipt.bites


def test_what_was_asked_before_the_end_is_answered_after_it(tmp_path: Path) -> None:
    with harmed(ShrinkIsr(OUTPUTS, 9), tmp_path) as (town, receipt):
        asked(town, "engine-1")
    said = heard(town, "engine-1", answered(ErrorCode.corrupt_message))

    assert said.content is not None
    assert [produce.offset_of(said.content, 9, OUTPUTS, p) for p in (2, 3)] == [None, None]
    assert asked(town, "engine-1") == Fate()
    assert receipt.effects == {"batches refused": 2}


def test_a_rotten_record_is_taken_as_it_was_and_read_otherwise(tmp_path: Path) -> None:
    rot = AlterRecord(OUTPUTS, ordinal=2, byte=1, bit=3, stale=1)
    with harmed(rot, tmp_path) as (town, receipt):
        assert asked(town, "engine-1") == Fate()
        heard(town, "engine-1", answered(ErrorCode.none))
        read = town.weather.fate(Passage("kafka-1", "settlement-1", "FetchResponse", batch()))

    (damage,) = receipt.damage
    assert receipt.effects["records altered"] == 1
    assert damage.was == VALUES[1]
    assert damage.offset == 42
    assert read.content == produce.rotten(batch(), (5, 0, 3), VALUES[1], 1, 3) != batch()
