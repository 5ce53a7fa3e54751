"""Engine outputs become log, trades and orders: checked, once, and never going back in time."""

import random
from typing import Any

import msgspec
import pytest
from confluent_kafka import TIMESTAMP_LOG_APPEND_TIME, Message, TopicPartition
from hypothesis import given
from hypothesis import strategies as st

from system import trades
from system.chain import Link
from system.engine.matching import Market
from system.errors import ConfigError, Halt
from system.records import OUTPUTS, EngineOutput, decode_output, encode, seal
from system.settlement.chains import decode_metadata, encode_metadata, refuse_too_many
from system.settlement.outputs import INSERT_LOG
from system.topics import key_of, partition_of
from tests.system.engine.flow import source, stream
from tests.system.settlement.test_rebalance import PARTITIONS, Town
from tests.system.tables import Tables

HOME = partition_of(b"1", PARTITIONS)


def matched(seed: int, count: int) -> list[EngineOutput]:
    """Return what the engine makes of a stream of orders."""
    market = Market(1)
    inputs = stream(random.Random(seed), count)
    emitted = [market.apply(one, source(offset, HOME)) for offset, one in enumerate(inputs)]
    return [decode_output(value) for _, value in emitted]


class Square(Town):
    """A town in which the outputs' partition is assigned, as of a commit."""

    def __init__(self, tables: Tables | None = None) -> None:
        super().__init__()
        if tables is not None:
            self.tables = tables
            self.settlement.open(tables)
        self.offset = 0

    def begin(self, offset: int = 0, links: dict[int, Link] | None = None) -> "Square":
        if links is not None:
            self.consumer.stored = (offset, encode_metadata(links))
        self.offset = offset
        consumer: Any = self.consumer
        self.settlement.assigned(consumer, [TopicPartition(OUTPUTS, HOME)])
        return self

    def settle(self, *outputs: EngineOutput, appended_ms: int = 1_000) -> None:
        for output in outputs:
            self.consumer.steps.append(
                Message(
                    topic=OUTPUTS,
                    partition=HOME,
                    offset=self.offset,
                    key=key_of(output.symbol_id),
                    value=encode(output),
                    timestamp=(TIMESTAMP_LOG_APPEND_TIME, appended_ms),
                )
            )
            self.offset += 1
        self.settlement.step()


def resealed(output: EngineOutput, **changes: Any) -> EngineOutput:
    """Return an altered output whose own hash is right again."""
    return decode_output(seal(msgspec.structs.replace(output, hash="", **changes))[0])


@given(st.integers(0, 2**32), st.integers(1, 40), st.data())
def test_tables_hold_each_output_whatever_fails_and_from_wherever_it_is_replayed(
    seed: int, count: int, data: st.DataObject
) -> None:
    chance = random.Random(seed)
    outputs = matched(seed, count)
    tables = Tables()
    tables.fails = lambda _: chance.choice((True, False)) if chance.random() < 0.2 else None

    Square(tables).begin().settle(*outputs)
    done = data.draw(st.integers(0, count))
    links = {1: Link(done, outputs[done - 1].hash)} if done else {}
    Square(tables).begin(done, links).settle(*outputs[done:])

    log = tables.rows("engine_output_log")
    assert [decode_output(row["record"].encode()) for row in log] == outputs
    made = [(output, trade) for output in outputs for trade in output.trades]
    assert [row["trade_id"] for row in tables.rows("trades_by_symbol")] == [
        trade.trade_id for _, trade in made
    ]
    assert {
        (row["user_id"], row["trade_id"], row["paid"], row["received"], row["fee"])
        for row in tables.rows("trades_by_user")
    } == {
        (one.user_id, trade.trade_id, one.paid, one.received, one.fee)
        for _, trade in made
        for one in (trade.maker, trade.taker)
    }
    newest = {order.order_id: order for output in outputs for order in output.orders}
    assert {
        row["order_id"]: (row["status"], row.get("ending"), row["filled"], row["remaining"])
        for row in tables.rows("orders_by_user")
    } == {
        order.order_id: (order.status, order.ending, order.filled, order.remaining)
        for order in newest.values()
    }


def test_the_commit_holds_the_end_of_the_chain_and_a_restart_goes_on_from_it() -> None:
    outputs = matched(1, 10)
    town = Square().begin()

    town.settle(*outputs[:5])
    stored = town.settlement.partitions[OUTPUTS, HOME].numbering.metadata()
    Square(town.tables).begin(5, decode_metadata(stored, "here")).settle(*outputs[5:])

    assert town.consumer.commits == [(HOME, 5)]
    assert len(town.tables.rows("engine_output_log")) == 10


def test_a_late_write_of_an_older_output_changes_nothing() -> None:
    outputs = matched(3, 30)
    town = Square().begin()
    town.settle(*outputs)
    before = town.tables.rows("orders_by_user")

    Square(town.tables).begin().settle(*outputs[:20])

    assert town.tables.rows("orders_by_user") == before


def test_nothing_is_committed_beyond_a_missing_output_until_it_is_sent_again() -> None:
    outputs = matched(1, 6)
    town = Square().begin()

    town.settle(*outputs[:2], *outputs[3:])
    held_back = list(town.consumer.commits)
    town.settle(*outputs[2:])

    assert held_back == [(HOME, 2)]
    assert town.consumer.commits == [(HOME, 2), (HOME, 9)]
    assert len(town.tables.rows("engine_output_log")) == 6


def test_an_output_that_stays_missing_halts() -> None:
    outputs = matched(1, 6)
    town = Square().begin()
    town.settle(*outputs[:2], outputs[3])

    with pytest.raises(Halt, match="output 3 of symbol 1 is missing since offset 2"):
        town.settle(outputs[4], appended_ms=10**9)


def test_an_altered_output_halts_before_anything_of_it_is_written() -> None:
    outputs = matched(1, 6)
    altered = msgspec.structs.replace(outputs[3], created_at=1)
    town = Square().begin()

    with pytest.raises(Halt, match="its hash is not that of its content"):
        town.settle(*outputs[:3], altered)

    assert [row["output_seq"] for row in town.tables.rows("engine_output_log")] == [1, 2, 3]
    assert town.consumer.commits == [(HOME, 3)]


def test_other_content_under_a_used_number_halts_even_if_its_chain_fits() -> None:
    outputs = matched(1, 6)
    town = Square().begin()
    town.settle(*outputs)

    with pytest.raises(Halt) as stop:
        town.settle(resealed(outputs[3], created_at=1))

    assert stop.value.reason == "output_conflict"


def test_a_database_that_lost_outputs_halts() -> None:
    outputs = matched(1, 6)
    town = Square().begin(4, {1: Link(4, outputs[3].hash)})

    with pytest.raises(Halt, match="output 5 follows nothing in bucket 0"):
        town.settle(*outputs[4:])

    assert INSERT_LOG not in [statement for statement, _ in town.tables.sent]


@pytest.mark.parametrize(
    "metadata", [None, "", "{}", '{"v":2,"symbols":{}}', '{"v":1,"shards":{}}']
)
def test_metadata_that_cannot_be_read_halts(metadata: str | None) -> None:
    with pytest.raises(Halt) as stop:
        decode_metadata(metadata, "engine.outputs[0], offset 7")

    assert stop.value.reason == "metadata"


def test_more_symbols_than_a_commit_can_carry_are_refused_with_a_remedy() -> None:
    refuse_too_many(range(1, 40), partitions=1)

    with pytest.raises(ConfigError, match="give the topic more partitions"):
        refuse_too_many(range(1, 60), partitions=1)


def test_buckets_and_numbers_sort_as_trades_happened() -> None:
    assert trades.number_of("7-42-1") == (7, trades.number(42, 1))
    assert trades.number(42, 100) < trades.number(43, 1)
    assert trades.bucket_of(trades.number(10**6, 1)) == 1
    assert [seq for seq in (1, 2, 999_999, 10**6) if trades.begins_bucket(seq)] == [1, 10**6]
    assert {
        trades.number_of(wrong) for wrong in ("", "1", "1-2", "1-2-128", "0-1-1", "1-02-1")
    } == {None}
