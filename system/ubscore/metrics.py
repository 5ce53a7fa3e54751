"""UBSCore's metrics, in a registry of their own."""

import time
from collections import Counter as Counts
from collections.abc import Sequence

from system.assets import BY_ID
from system.instruments import LONG_S, QUICK_S, SIZES, Instruments
from system.lag import Lag
from system.ubscore.settings import GROUP
from system.ubscore.state import State
from system.wal.frames import CommandFrame, EngineFrame

Batch = Sequence[tuple[int, CommandFrame | EngineFrame]]

_TRANSFERS = {"deposit", "withdraw"}


class Metrics(Instruments):
    """What an operator watches."""

    def __init__(self, *, alone: bool = True) -> None:
        super().__init__()
        self._alone = alone  # the only shard: what its accounts hold is all there is
        self._off: dict[int, int] = {}
        self.lag = Lag(self, GROUP)
        self._commands()
        self._log()
        self._money()
        self.outbox = self.gauge(
            "ubscore_outbox_records", "Records that Kafka has not acknowledged yet."
        )
        self.orders = self.gauge("ubscore_orders", "Orders remembered, open ones and closed ones.")
        self.holes = self.gauge("ubscore_open_holes", "Symbols whose next output is missing.")

    def _commands(self) -> None:
        self.commands = self.counter(
            "ubscore_commands_total", "Commands decided and durable.", "decision"
        )
        self.rejections = self.counter(
            "ubscore_rejections_total", "Commands rejected, by reason.", "reason"
        )
        self.fills = self.counter(
            "ubscore_engine_outputs_total", "Engine outputs that did something on this shard."
        )
        self.rows = self.counter(
            "ubscore_ledger_rows_total", "Ledger rows made, by type.", "event_type"
        )
        self.decision = self.histogram(
            "ubscore_decision_seconds",
            "From Kafka's append of a command to its decision being durable.",
            buckets=LONG_S,
        )
        self.sizes = self.histogram(
            "ubscore_batch_frames", "Frames made durable by one sync.", buckets=SIZES
        )

    def _log(self) -> None:
        self.append = self.histogram(
            "ubscore_log_append_seconds", "Writing a batch of frames to the log.", buckets=QUICK_S
        )
        self.sync = self.histogram(
            "ubscore_log_sync_seconds", "Syncing the log (fdatasync).", buckets=QUICK_S
        )
        self.lsn = self.gauge("ubscore_log_lsn", "Number of the last durable frame.")
        self.epoch = self.gauge("ubscore_epoch", "How often the data directory was opened.")
        self.recovery = self.gauge(
            "ubscore_recovery_seconds",
            "From snapshot and log to a state in a log of a new generation, at the last start.",
        )
        self.recovered = self.gauge(
            "ubscore_recovery_frames", "Frames of the log folded at the last start."
        )
        self.snapshot = self.histogram(
            "ubscore_snapshot_seconds", "Writing and checking a snapshot.", buckets=LONG_S
        )
        self.snapshot_bytes = self.gauge("ubscore_snapshot_bytes", "Size of the last snapshot.")
        self.snapshot_at = self.gauge(
            "ubscore_snapshot_timestamp_seconds", "When the last snapshot was made."
        )

    def _money(self) -> None:
        self.conservation = self.gauge(
            "ubscore_conservation_difference",
            "Raw units on all accounts beyond deposits less withdrawals: 0. One of several shards"
            " does not tell, since fills move units between them.",
            "asset",
        )

    def batch(self, batch: Batch, lsn: int, waiting: int) -> None:
        """Count a batch that was made durable and published."""
        now_ms = time.time_ns() // 1_000_000
        commands = [frame for _, frame in batch if isinstance(frame, CommandFrame)]
        for frame in commands:
            self.decision.observe(max(0, now_ms - frame.time_ms) / 1000)
            if frame.reason is not None:
                self.rejections.labels(frame.reason).inc()
        for decision, decided in Counts([frame.decision for frame in commands]).items():
            self.commands.labels(decision).inc(decided)
        rows = Counts([leg.event_type for _, frame in batch for leg in frame.legs])
        for event_type, made in rows.items():
            self.rows.labels(event_type).inc(made)
        self.fills.inc(len(batch) - len(commands))
        self.sizes.observe(len(batch))
        self.lsn.set(lsn)
        self.outbox.set(waiting)
        if self._alone and not rows.keys() <= _TRANSFERS:
            self._follow(batch)

    def count(self, state: State) -> None:
        """Sum up all accounts; `batch` follows from there what is not moved in or out."""
        if not self._alone:
            return
        sums = {asset_id: -net for asset_id, net in state.net.items()}
        for (_, asset_id), balance in state.balances.items():
            sums[asset_id] = sums.get(asset_id, 0) + balance.avail + balance.frozen
        self._off = sums
        self._tell()

    def _follow(self, batch: Batch) -> None:
        for _, frame in batch:
            for leg in frame.legs:
                change = leg.delta_avail + leg.delta_frozen
                if change and leg.event_type not in _TRANSFERS:
                    self._off[leg.asset_id] = self._off.get(leg.asset_id, 0) + change
        self._tell()

    def _tell(self) -> None:
        for asset_id, off in self._off.items():
            asset = BY_ID.get(asset_id)
            self.conservation.labels(str(asset_id) if asset is None else asset.name).set(off)
