"""K6: a record that was perhaps persisted is sent again as a new event."""

from typing import Any

import msgspec

from scenarios.controls import planted
from system.records import LedgerRow, decode_event, encode
from system.ubscore import UBSCore
from system.ubscore.outbox import Outbox
from system.wal.frames import Output


class _Renumbers(Outbox):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.shift: dict[int, int] = {}

    def resend(self) -> None:
        """Give everything that waits a new number, as if it had not been sent before."""
        for record in self.waiting:
            partition = record.output.partition
            again = self.attempt > 1
            self.shift[partition] = self.shift.get(partition, 0) + again
            record.output = self.renumbered(record.output, again=again)
        super().resend()

    def renumbered(self, output: Output, *, again: bool) -> Output:
        """Return the record with its number and sequence moved on."""
        event = decode_event(output.value)
        shift = 1 if again else 0
        changed: dict[str, Any] = {"n": event.n + shift}
        if isinstance(event, LedgerRow):
            changed["seq"] = event.seq + shift
        value = encode(msgspec.structs.replace(event, **changed))
        return (
            msgspec.structs.replace(output, value=value)
            if hasattr(output, "__struct_fields__")
            else output._replace(value=value)
        )


class MakesItNew(UBSCore):
    """Sends copies that nobody can recognise as copies."""

    outbox_type = _Renumbers


scenario = planted(__name__, __doc__ or "", "ubscore", "MakesItNew", "I4 I5 I14")
