"""Own: the offset is committed when the checked rows are written, before what follows from them."""

from scenarios.controls import planted
from system.records import EngineOutput, Event
from system.settlement import Settlement


class CommitsHalfWay(Settlement):
    """Money is what counts; answers and trades can be shown a little later."""

    def write(self, records: list[Event | EngineOutput]) -> None:
        """Write accounts and outputs, commit, and write the rest."""
        outputs = [record for record in records if isinstance(record, EngineOutput)]
        events = [record for record in records if not isinstance(record, EngineOutput)]
        checked = [*self.ledger.account_lanes(events), *self.outputs.log_lanes(outputs)]
        self.writer.drive(checked)
        self.commit()
        rest = [*self.ledger.request_lanes(events), *self.outputs.detail_lanes(outputs)]
        self.writer.drive(rest)


scenario = planted(
    __name__, __doc__ or "", "settlement", "CommitsHalfWay", "I12 I9 I3", "kills_mid_showing"
)
