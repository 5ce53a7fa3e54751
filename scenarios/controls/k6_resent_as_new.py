"""K6: a record that was perhaps persisted is sent again as a new event."""

from typing import Any

import msgspec

from scenarios.controls import planted
from system.outbox import Outbox
from system.records import LedgerRow, decode_event, encode
from system.ubscore import UBSCore
from system.wal.frames import Output


class _Renumbers(Outbox):
    def resend(self) -> None:
        """Give everything that waits a new number, as if it had not been sent before."""
        if self.attempt > 1:
            for record in self.waiting:
                record.output = self.moved_on(record.output)
        super().resend()

    def moved_on(self, output: Output) -> Output:
        """Return the record with the next number and sequence."""
        event = decode_event(output.value)
        changed: dict[str, Any] = {"n": event.n + 1}
        if isinstance(event, LedgerRow):
            changed["seq"] = event.seq + 1
        value = encode(msgspec.structs.replace(event, **changed))
        return msgspec.structs.replace(output, n=event.n + 1, value=value)


class MakesItNew(UBSCore):
    """Sends copies that nobody can recognise as copies."""

    outbox_type = _Renumbers


scenario = planted(
    __name__, __doc__ or "", "ubscore", "MakesItNew", "I4 I5 I14", "failed_deliveries"
)
