"""UBSCore and the format version agreed on: nothing newer is written, what is newer is refused."""

from pathlib import Path

import pytest

from system.errors import Halt
from system.formats import COMPACT, ORDERS, TRACES, TRANSFERS
from tests.system.small_kafka import Broker
from tests.system.ubscore.desk import Desk, kill, log_of, made, opened
from tests.system.ubscore.market import BTC, USDT, deposit, order


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return made(tmp_path)


def funded(data: Path, broker: Broker, formats: int, snapshot_every: int = 1000) -> Desk:
    """UBSCore that took two deposits."""
    desk = opened(data, broker, formats=formats, snapshot_every=snapshot_every)
    broker.order(deposit(1001, USDT, 10**12, 1), deposit(1001, BTC, 10**9, 2))
    desk.settle()
    return desk


def versions(data: Path) -> set[int]:
    return {frame.format for frame in log_of(data).frames}


def test_an_order_stops_a_program_that_was_told_of_transfers_alone_and_the_next_takes_it(
    data: Path,
) -> None:
    broker = Broker()
    old = funded(data, broker, TRANSFERS)
    broker.order(deposit(1001, BTC, 5, 3), order(4, 1001, "buy", 100, 1))

    with pytest.raises(Halt, match=r"balance.operations\[\d\].*has agreed on 1") as halt:
        old.settle()
    kill(old)

    assert (halt.value.reason, halt.value.exit_code) == ("input_unreadable", 70)
    assert old.state.balances[1001, BTC].avail == 10**9 + 5, "what came before is decided"
    assert versions(data) == {TRANSFERS}
    new = opened(data, broker, formats=ORDERS)
    new.settle()
    kill(new)
    assert len(new.state.standing.orders) == 1
    assert versions(data) == {TRANSFERS, ORDERS}


def test_a_log_with_orders_cannot_be_taken_back_to_a_program_that_knows_none(data: Path) -> None:
    broker = Broker()
    new = funded(data, broker, ORDERS)
    broker.order(order(4, 1001, "buy", 100, 1))
    new.settle()
    kill(new)

    with pytest.raises(Halt, match=r"wal-.*LSN \d+.*format version 2.*agreed on 1") as halt:
        opened(data, broker, formats=TRANSFERS)

    assert halt.value.reason == "log_version"
    assert opened(data, broker, formats=ORDERS).state.standing.orders


def test_a_snapshot_has_the_version_of_what_it_holds_and_a_newer_one_is_refused(data: Path) -> None:
    broker = Broker()
    desk = funded(data, broker, ORDERS, snapshot_every=3)
    kill(desk)
    again = opened(data, broker, formats=TRANSFERS, snapshot_every=3)  # nothing of orders so far
    kill(again)
    desk = opened(data, broker, formats=ORDERS, snapshot_every=3)
    broker.order(*(order(n, 1001, "buy", 100, 1) for n in range(4, 9)))
    desk.settle()
    kill(desk)

    with pytest.raises(Halt, match=r"snapshot-.*has format version 2.*set formats") as halt:
        opened(data, broker, formats=TRANSFERS)

    assert halt.value.reason == "snapshot_version"


def test_a_snapshot_of_the_version_before_is_read_and_the_compact_one_is_refused_by_it(
    data: Path,
) -> None:
    broker = Broker()
    old = funded(data, broker, TRACES)
    broker.order(*(order(n, 1001, "buy", 100, 1) for n in range(4, 9)))
    old.settle()
    old.close()
    wide = max(data.glob("snapshot-*")).stat().st_size
    new = opened(data, broker, formats=COMPACT)
    assert new.state.keys.contents(()) == old.state.keys.contents(())
    assert new.state.standing.contents == old.state.standing.contents
    broker.order(deposit(1001, BTC, 5, 3))
    new.settle()
    new.close()

    assert max(data.glob("snapshot-*")).stat().st_size < wide
    with pytest.raises(Halt, match=r"snapshot-.*has format version 4.*set formats") as halt:
        opened(data, broker, formats=TRACES)
    assert halt.value.reason == "snapshot_version"
