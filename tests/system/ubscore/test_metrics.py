"""What an operator sees of UBSCore agrees with what it did."""

from pathlib import Path

from msgspec.structs import replace

from system.metrics_http import Listen
from system.records import EVENTS, decode_event
from system.wal.frames import EngineFrame, Leg
from tests.system.gateway.ports import free_port
from tests.system.scraped import scraped
from tests.system.small_kafka import NOW_MS, Broker
from tests.system.ubscore import desk, market
from tests.system.ubscore.commands import operation, request_id


def test_decisions_rows_batches_and_the_log_are_counted(tmp_path: Path) -> None:
    broker = Broker()
    broker.order(
        operation("deposit", 1001, 1, 500, request_id(NOW_MS, 1)),
        operation("deposit", 1001, 2, 70, request_id(NOW_MS, 2)),
        operation("deposit", 1001, 2, 70, request_id(NOW_MS, 2)),
        operation("withdraw", 1001, 1, 501, request_id(NOW_MS, 3)),
    )
    core = desk.opened(desk.made(tmp_path), broker)
    core.settle()

    sample = core.metrics.registry.get_sample_value
    assert sample("ubscore_commands_total", {"decision": "accepted"}) == 2
    assert sample("ubscore_commands_total", {"decision": "duplicate"}) == 1
    assert sample("ubscore_rejections_total", {"reason": "insufficient_balance"}) == 1
    assert sample("ubscore_ledger_rows_total", {"event_type": "deposit"}) == 2
    assert sample("ubscore_decision_seconds_count") == 4
    assert sample("ubscore_batch_frames_sum") == 4
    syncs = sample("ubscore_log_sync_seconds_count")
    assert syncs == sample("ubscore_log_append_seconds_count") == 1
    assert sample("ubscore_log_lsn") == core.state.lsn
    assert sample("ubscore_epoch") == 1
    assert sample("ubscore_outbox_records") == 0
    lag = {"group": "ubscore", "topic": "balance.operations"}
    assert {sample("kafka_consumer_lag_records", {**lag, "partition": str(p)}) for p in range(4)}
    desk.kill(core)


def test_the_outbox_shows_what_kafka_does_not_take(tmp_path: Path) -> None:
    broker = Broker(away=True)
    broker.order(operation("deposit", 1001, 1, 500, request_id(NOW_MS, 1)))
    core = desk.opened(desk.made(tmp_path), broker)
    core.step()

    assert core.metrics.registry.get_sample_value("ubscore_outbox_records") == 1
    broker.away = False
    core.settle()
    assert core.metrics.registry.get_sample_value("ubscore_outbox_records") == 0
    assert len(broker.published()) == 1
    desk.kill(core)


def traded(directory: Path, shards: int = 1) -> market.Exchange:
    exchange = market.Exchange(directory, shards)
    exchange.broker.order(
        market.deposit(1001, market.USDT, 10**12, 1),
        market.deposit(1002, market.BTC, 10**12, 2),
    )
    exchange.settle()
    exchange.broker.order(market.order(3, 1002, "sell", 10, 2), market.order(4, 1001, "buy", 10, 1))
    exchange.settle()
    return exchange


def test_trades_fees_and_restarts_leave_nothing_off(tmp_path: Path) -> None:
    exchange = traded(tmp_path)
    sample = exchange.shards[1].metrics.registry.get_sample_value

    kinds = {getattr(decode_event(e), "event_type", "") for e in exchange.broker.published(EVENTS)}
    assert "fee" in kinds
    for asset in ("BTC", "USDT"):
        assert sample("ubscore_conservation_difference", {"asset": asset}) == 0
    exchange.restart(1)
    sample = exchange.shards[1].metrics.registry.get_sample_value
    assert sample("ubscore_conservation_difference", {"asset": "BTC"}) == 0
    assert sample("ubscore_recovery_frames") > 0  # type: ignore[operator]
    exchange.close()


def test_a_leg_too_much_shows_at_once_and_in_the_sum_of_all_accounts(tmp_path: Path) -> None:
    exchange = traded(tmp_path)
    core = exchange.shards[1]
    last = [b for _, b in desk.log_of(exchange.paths[1]).records() if isinstance(b, EngineFrame)][
        -1
    ]
    have = core.state.balance(1001, market.BTC)
    minted = Leg("trade_credit", 1001, 1, have.seq + 1, 3, 0, have.avail + 3, have.frozen)
    false = replace(last, legs=(minted,), outputs=(), changes=(), ended=None)

    core.commit([(core.keep(false), false)])

    sample = core.metrics.registry.get_sample_value
    assert sample("ubscore_conservation_difference", {"asset": "BTC"}) == 3
    core.metrics.count(core.state)
    assert sample("ubscore_conservation_difference", {"asset": "BTC"}) == 3
    exchange.close()


def test_one_of_several_shards_does_not_tell(tmp_path: Path) -> None:
    exchange = traded(tmp_path, 2)

    for core in exchange.shards.values():
        names = {family.name for family in core.metrics.registry.collect() if family.samples}
        assert "ubscore_conservation_difference" not in names
        assert "ubscore_log_lsn" in names
    exchange.close()


def test_metrics_are_served_from_the_start_to_the_end(tmp_path: Path) -> None:
    port = free_port()
    settings = replace(desk.settings(desk.made(tmp_path)), metrics=Listen(port=port))
    broker = Broker()
    broker.order(operation("deposit", 1001, 1, 500, request_id(NOW_MS, 1)))
    seen: list[str] = []

    class Scraped(desk.Desk):
        def step(self) -> None:
            super().step()
            if self.state.balances:
                seen.append(scraped(port))
                self.stop()

    Scraped(settings, broker).run()

    assert 'ubscore_commands_total{decision="accepted"} 1.0' in seen[0]
