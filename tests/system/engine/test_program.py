"""The engine as a whole: what it publishes, and what it comes back with after a crash anywhere."""

import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from system.engine.matching import Market
from system.records import (
    GENESIS,
    OUTPUTS,
    Validated,
    decode_output,
    sealed,
)
from system.topics import key_of, partition_of
from tests.system.engine.desk import kill, made, opened, outputs, send
from tests.system.engine.flow import cancel, crossing, order, source, stream
from tests.system.small_kafka import PARTITIONS, Broker

HOME = partition_of(key_of(1), PARTITIONS)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return made(tmp_path)


def expected(records: list[Validated]) -> list[bytes]:
    """What one life without any trouble publishes."""
    markets: dict[int, Market] = {}
    offsets: Counter[int] = Counter()
    values = []
    for record in records:
        market = markets.setdefault(record.symbol_id, Market(record.symbol_id))
        home = partition_of(key_of(record.symbol_id), PARTITIONS)
        values.append(market.apply(record, source(offsets[home], home)).value)
        offsets[home] += 1
    return values


def without_copies(values: list[bytes]) -> list[bytes]:
    """What a consumer keeps: each number of a symbol once; copies must be copies."""
    kept: dict[tuple[int, int], bytes] = {}
    last: Counter[int] = Counter()
    for value in values:
        output = decode_output(value)
        symbol, number = output.symbol_id, output.output_seq
        if number == last[symbol] + 1:
            kept[symbol, number] = value
            last[symbol] = number
        elif number <= last[symbol]:
            assert kept[symbol, number] == value
    return list(kept.values())


def test_each_input_has_one_output_and_they_chain(data: Path) -> None:
    broker, records = Broker(), stream(random.Random(1), 200)
    send(broker, *records)
    desk = opened(data, broker)
    desk.settle()
    desk.close()

    assert outputs(broker) == expected(records)
    previous = GENESIS
    for number, value in enumerate(outputs(broker), 1):
        output = decode_output(value)
        assert sealed(output)
        assert (output.output_seq, output.previous_hash) == (number, previous)
        assert output.created_at == records[number - 1].created_at
        previous = output.hash


@examples(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    plan=st.lists(
        st.sampled_from(["send", "send", "step", "kill", "stop", "away", "back", "lose"]),
        max_size=30,
    ),
    snapshot_every=st.integers(1, 40),
)
def test_whatever_happens_the_chain_is_that_of_one_untroubled_life(
    tmp_path_factory: pytest.TempPathFactory, seed: int, plan: list[str], snapshot_every: int
) -> None:
    data, broker, sent = made(tmp_path_factory.mktemp("d")), Broker(), 0
    records = crossing(random.Random(seed), 200)
    limits = {"snapshot_every": snapshot_every, "batch": 8, "stop_ms": 1}
    desk = opened(data, broker, **limits)
    for what in [*plan, "back", "kill"]:
        if what == "send":
            send(broker, *records[sent : sent + 7])
            sent += 7
        elif what == "step":
            desk.step()
        elif what in ("kill", "stop"):
            if what == "stop":
                desk.close()
            kill(desk)
            desk = opened(data, broker, **limits)
        else:
            broker.away, broker.lose_answers = what == "away", what == "lose"
    desk.settle()
    assert sorted(without_copies(outputs(broker))) == sorted(expected(records[:sent]))
    assert not desk.outbox.waiting
    kill(desk)


@pytest.mark.parametrize("point", ["apply", "emit", "snapshot", "tend"])
def test_a_kill_anywhere_in_the_loop_loses_nothing(
    data: Path, point: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    broker, records = Broker(), stream(random.Random(2), 50)
    send(broker, *records)
    desk = opened(data, broker, batch=10, snapshot_every=20)
    before, left = getattr(desk, point), Counter({point: 2})

    def die(*given: object) -> object:
        left[point] -= 1
        if not left[point]:
            raise KeyboardInterrupt
        return before(*given)

    monkeypatch.setattr(desk, point, die)
    with pytest.raises(KeyboardInterrupt):
        desk.settle()
    kill(desk)
    desk = opened(data, broker, batch=10, snapshot_every=20)
    desk.settle()
    desk.close()

    assert without_copies(outputs(broker)) == expected(records)


def test_after_a_graceful_stop_nothing_is_read_or_sent_again(data: Path) -> None:
    broker = Broker()
    records = stream(random.Random(3), 60)
    send(broker, *records[:40])
    desk = opened(data, broker)
    desk.settle()
    desk.close()
    desk = opened(data, broker)
    assert desk.judged == 0
    assert not desk.outbox.waiting
    send(broker, *records[40:])
    desk.settle()
    kill(desk)

    assert outputs(broker) == expected(records)


def test_outputs_that_stand_are_compared_and_not_sent_again(data: Path) -> None:
    broker = Broker()
    send(broker, *stream(random.Random(4), 30))
    desk = opened(data, broker)
    desk.settle()
    kill(desk)
    before = len(outputs(broker))

    desk = opened(data, broker)

    assert desk.judged == 30
    assert len(outputs(broker)) == before
    kill(desk)


def test_from_the_first_missing_output_on_all_are_sent_present_ones_too(data: Path) -> None:
    broker = Broker()
    records = stream(random.Random(5), 30)
    send(broker, *records)
    desk = opened(data, broker)
    desk.settle()
    kill(desk)
    whole = outputs(broker)
    log = broker.logs[OUTPUTS, HOME]
    broker.logs[OUTPUTS, HOME] = []
    for number, record in enumerate(log):
        if number not in (10, 20):  # two that the broker never got
            broker.append(OUTPUTS, HOME, record.key(), record.value())

    desk = opened(data, broker)
    desk.settle()

    assert outputs(broker)[28:] == whole[10:]
    kill(desk)


def test_shards_are_numbered_apart_and_duplicates_emit_nothing(data: Path) -> None:
    broker = Broker()
    first, second = order(1, "buy", 10, 1), order(2, "buy", 11, 1, shard=2, n=1)
    third = order(3, "buy", 12, 1, n=2)
    send(broker, first, second, first, third, second, third)
    desk = opened(data, broker)
    desk.settle()

    found = [decode_output(value) for value in outputs(broker)]
    assert [one.order_id for one in found] == [one.order_id for one in (first, second, third)]
    assert [one.source.offset for one in found] == [0, 1, 3]
    kill(desk)


def test_what_comes_too_early_is_discarded_until_the_hole_is_closed(data: Path) -> None:
    broker = Broker()
    one, two, three = (order(n, "buy", 10, 1) for n in (1, 2, 3))
    other = order(9, "buy", 10, 1, shard=2, n=1)
    send(broker, one, three, other)
    desk = opened(data, broker, snapshot_every=1)
    desk.settle()
    assert len(outputs(broker)) == 2
    desk.close()
    kill(desk)
    send(broker, two, three)
    desk = opened(data, broker)
    desk.settle()

    found = [decode_output(value).order_id for value in outputs(broker)]
    assert found == [record.order_id for record in (one, other, two, three)]
    kill(desk)


def test_a_damaged_snapshot_is_passed_over_for_the_older_one(data: Path) -> None:
    broker, records = Broker(), stream(random.Random(9), 60)
    for first in (0, 20, 40):
        send(broker, *records[first : first + 20])
        desk = opened(data, broker)
        desk.settle()
        desk.close()
    older, newest = sorted(data.glob("snapshot-*"))
    newest.write_bytes(newest.read_bytes()[:-1])

    desk = opened(data, broker)
    desk.settle()
    assert desk.judged == 20
    assert outputs(broker) == expected(records)
    desk.close()
    assert sorted(data.glob("snapshot-*")) == [older, newest]


def test_outputs_that_retention_took_are_sent_again_as_copies(data: Path) -> None:
    broker, records = Broker(), stream(random.Random(10), 20)
    send(broker, *records)
    desk = opened(data, broker)
    desk.settle()
    kill(desk)
    broker.starts[OUTPUTS, HOME] = 5
    desk = opened(data, broker)
    desk.settle()

    assert without_copies(outputs(broker)) == expected(records)
    kill(desk)


def test_a_cancel_of_a_symbol_that_never_traded_is_answered(data: Path) -> None:
    broker = Broker()
    send(broker, cancel(1, order(5, "buy", 10, 1)))
    desk = opened(data, broker)
    desk.settle()
    desk.close()
    desk = opened(data, broker)
    send(broker, order(2, "buy", 10, 1))
    desk.settle()

    first, second = (decode_output(value) for value in outputs(broker))
    assert (first.outcome, second.outcome) == ("order_closed", "placed")
    kill(desk)


def test_two_processes_give_the_same_bytes() -> None:
    digests = set()
    for hash_seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", _DIGEST],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            check=True,
            timeout=60,
        )
        digests.add(done.stdout)

    assert len(digests) == 1
    assert len(digests.pop().strip()) == 64


_DIGEST = """
import hashlib, random
from system.engine.matching import Market
from tests.system.engine.flow import source, stream
market = Market(1)
values = [market.apply(r, source(n)).value for n, r in enumerate(stream(random.Random(1), 500))]
print(hashlib.sha256(b"".join(values)).hexdigest())
"""
