"""Records in Produce requests on a link: one is altered, all else stays, its place is learnt."""

import datetime as dt
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kio.index import load_request_schema, load_response_schema
from kio.schema.errors import ErrorCode
from kio.serial import entity_writer
from kio.static.primitive import Records, i16, i32, i32Timedelta, i64

from scenarios.stages.real.proxies import produce
from scenarios.stages.real.proxies.weather import Fate, Passage, Weather
from sim.kafka.batch import Batch
from sim.kafka.errors import BatchError
from tests.scenarios.stages.real.test_kafka_proxy import filled, frame, response

VALUES = (b'{"a":1}', b'{"b":22}', b'{"a":1}')


def batch(values: tuple[bytes, ...] = VALUES) -> bytes:
    records = tuple((b"7", value, (), 1_700_000_000_000 + i) for i, value in enumerate(values))
    return Batch(records, 5, 0, 3).encode()


def sent(version: int, data: bytes) -> bytes:
    schema: Any = load_request_schema(0, version)
    topic_type = schema.__dataclass_fields__["topic_data"].type.__args__[0]
    part_type = topic_type.__dataclass_fields__["partition_data"].type.__args__[0]
    part = part_type(index=i32(2), records=Records(data))
    other = part_type(index=i32(3), records=Records(batch((b"other",))))
    topic = topic_type(name="engine.outputs", partition_data=(part, other))
    out = io.BytesIO()
    header = schema.__header_schema__
    entity_writer(header)(
        out,
        header(
            request_api_key=i16(0),
            request_api_version=i16(version),
            correlation_id=i32(9),
            client_id="engine",
        ),
    )
    body = schema(
        transactional_id=None,
        acks=i16(-1),
        timeout=i32Timedelta.parse(dt.timedelta(seconds=1)),
        topic_data=(topic,),
    )
    entity_writer(schema)(out, body)
    return frame(out.getvalue())


@given(st.integers(0, 2), st.integers(0, 500), st.integers(0, 7))
def test_one_bit_of_one_value_flips_and_the_checksum_holds(index: int, byte: int, bit: int) -> None:
    found = produce.altered(batch(), index, byte, bit)

    values = [record[1] for record in Batch.decode(found.data).records]
    differing = [i for i, value in enumerate(values) if value != VALUES[i]]
    assert differing == [index]
    assert (found.key, found.was, found.now) == (b"7", VALUES[index], values[index])
    flipped = int.from_bytes(found.was) ^ int.from_bytes(found.now)
    assert flipped.bit_count() == 1


def test_a_record_is_taken_out_and_what_comes_later_numbered_lower() -> None:
    left = Batch.decode(produce.without(batch(), 1))
    later = Batch.decode(produce.renumbered(batch(), 2))

    assert [record[1] for record in left.records] == [VALUES[0], VALUES[2]]
    assert (left.producer_id, left.producer_epoch, left.base_sequence) == (5, 0, 3)
    assert (later.base_sequence, later.last_sequence) == (2, 4)
    assert later.records == Batch.decode(batch()).records


@pytest.mark.parametrize("version", [7, 9])
def test_a_request_is_passed_on_with_another_batch_and_nothing_else_changed(version: int) -> None:
    before = sent(version, batch())
    data = produce.altered(batch(), 1, 3, 0).data

    after = produce.with_batch(before, "engine.outputs", 2, data)

    assert produce.request(after)[:2] == produce.request(before)[:2] == (version, 9)
    assert dict(produce.batches(produce.request(after)[2], "engine.outputs")) == {
        2: data,
        3: batch((b"other",)),
    }
    assert produce.with_batch(after, "engine.outputs", 2, batch()) == before
    assert list(produce.batches(produce.request(before)[2], "balance.events")) == []


def answered(error: ErrorCode) -> bytes:
    schema: Any = load_response_schema(0, 9)
    topic_type = schema.__dataclass_fields__["responses"].type.__args__[0]
    part_type = topic_type.__dataclass_fields__["partition_responses"].type.__args__[0]
    part = filled(part_type, index=i32(2), error_code=error, base_offset=i64(41))
    other = filled(part_type, index=i32(3), error_code=ErrorCode.none, base_offset=i64(7))
    topic = topic_type(name="engine.outputs", partition_responses=(part, other))
    return response(schema, filled(schema, responses=(topic,)), 9)


@pytest.mark.parametrize(("error", "offset"), [("none", 41), ("not_leader_or_follower", None)])
def test_the_answer_says_where_a_batch_stands(error: str, offset: int | None) -> None:
    answer = answered(ErrorCode[error])

    assert produce.answer(answer) == 9
    assert produce.offset_of(answer, 9, "engine.outputs", 2) == offset


def test_a_batch_is_refused_for_another_reason_and_the_one_beside_it_stands() -> None:
    answer = answered(ErrorCode.corrupt_message)

    other = produce.refused(answer, 9, "engine.outputs", 2, ErrorCode.not_enough_replicas)

    assert other == answered(ErrorCode.not_enough_replicas)
    assert produce.offset_of(other, 9, "engine.outputs", 3) == 7


def test_a_batch_that_no_broker_takes_differs_in_its_checksum_alone() -> None:
    spoiled = produce.untakeable(batch())

    assert [i for i, byte in enumerate(spoiled) if byte != batch()[i]] == [17]
    with pytest.raises(BatchError):
        Batch.decode(spoiled)


def test_what_has_rotted_is_read_so_from_its_own_batch_only() -> None:
    copy = Batch(Batch.decode(batch()).records, 5, 0, 9).encode()  # sent once more
    fetched = b"head" + copy + batch() + b"tail"

    other = produce.rotten(fetched, (5, 0, 3), VALUES[1], 2, 4)

    differing = [i for i, byte in enumerate(other) if byte != fetched[i]]
    assert differing == [fetched.index(VALUES[1], len(copy) + 4) + 2]
    assert other[differing[0]] ^ fetched[differing[0]] == 1 << 4
    assert produce.rotten(fetched, (5, 1, 3), VALUES[1], 2, 4) == fetched


def test_what_one_rule_altered_the_next_one_sees() -> None:
    weather = Weather()
    seen: list[bytes] = []

    def look(passage: Passage) -> Fate:
        seen.append(passage.content)
        return Fate(5)

    with weather.rule(lambda _: Fate(content=b"other")), weather.rule(look):
        fate = weather.fate(Passage("a", "b", "Produce", b"one"))

    assert seen == [b"other"]
    assert fate == Fate(5, content=b"other")
