"""What an operator sees of the engine agrees with what it did."""

import random
from collections import Counter
from pathlib import Path

from system.records import decode_output
from tests.system.engine.desk import kill, made, opened, outputs, send
from tests.system.engine.flow import order, stream
from tests.system.small_kafka import Broker


def test_outputs_trades_and_depth_are_counted(tmp_path: Path) -> None:
    broker = Broker()
    send(broker, *stream(random.Random(1), 200))
    desk = opened(made(tmp_path), broker)
    desk.settle()

    found = [decode_output(value) for value in outputs(broker)]
    book = desk.state.market(1).book
    sample = desk.metrics.registry.get_sample_value
    for outcome, count in Counter(one.outcome for one in found).items():
        assert sample("engine_outputs_total", {"outcome": outcome}) == count
    trades = sum(len(one.trades) for one in found)
    assert sample("engine_trades_total", {"symbol": "BTC_USDT"}) == trades > 0
    assert sample("engine_book_orders", {"symbol": "BTC_USDT"}) == len(book.orders) > 0
    depth = sample("engine_book_levels", {"symbol": "BTC_USDT", "side": "buy"})
    assert depth == len({one.price for one in book.bids})
    assert sample("engine_output_seq", {"symbol": "BTC_USDT"}) == 200
    assert sample("engine_outbox_records") == 0
    kill(desk)


def test_holes_and_dropped_records_show(tmp_path: Path) -> None:
    broker = Broker()
    one, two, three = (order(n, "buy", 10, 1) for n in (1, 2, 3))
    send(broker, one, one, three)
    desk = opened(made(tmp_path), broker)
    desk.settle()
    sample = desk.metrics.registry.get_sample_value

    assert sample("engine_open_holes") == 1
    assert sample("engine_dropped_total", {"verdict": "duplicate"}) == 1
    assert sample("engine_dropped_total", {"verdict": "beyond"}) == 1
    send(broker, two, three)
    desk.settle()
    assert sample("engine_open_holes") == 0
    kill(desk)
