"""K4: the send to the events topic is started and never awaited; the log says published."""

from collections.abc import Iterable

from scenarios.controls import planted
from system.origin import Origin
from system.outbox import UNKNOWN, Outbox
from system.ubscore import UBSCore
from system.wal.frames import Output


class _NeverAwaits(Outbox):
    async def deliver(self, output: Output) -> None:
        """Send one record, once somebody awaits this."""
        assert self._producer is not None
        self._producer.produce(output.topic, output.value, output.key, output.partition)

    def publish(self, lsn: int, outputs: Iterable[Output], origin: Origin = UNKNOWN) -> None:
        """Start the sends, and say that it is done."""
        assert origin.accepted_ms >= 0
        self._through = lsn
        for output in outputs:
            sending = self.deliver(output)
            self.log.info("published", topic=output.topic, partition=output.partition, n=output.n)
            sending.close()  # what happens to a coroutine that nobody awaits


class LosesTheSend(UBSCore):
    """The first version of this pipeline: nine deposits in, nothing out, nothing in its log."""

    outbox_type = _NeverAwaits


scenario = planted(__name__, __doc__ or "", "ubscore", "LosesTheSend", "I3 I14")
