"""K13: orders are written without the number of their output as timestamp; a zombie's come last."""

from collections.abc import Iterable

from scenarios.controls import planted
from system.database import Database
from system.records import EngineOutput
from system.settlement import Settlement
from system.settlement.ledger import Statement
from system.settlement.outputs import INSERT_ORDER, Outputs


class _ByArrival(Outputs):
    def __init__(self, database: Database, consistency: int) -> None:
        super().__init__(database, consistency)
        plain = INSERT_ORDER.replace(" USING TIMESTAMP ?", "")
        self.insert_order = database.prepare(plain, consistency)

    def _details(self, output: EngineOutput) -> Iterable[tuple[tuple[object, ...], Statement]]:
        for where, (statement, values) in super()._details(output):
            plain = values[:-1] if statement is self.insert_order else values
            yield where, (statement, plain)


class LastWriteWins(Settlement):
    """What is written last is what is true."""

    def open(self, connection: Database) -> None:
        """Let the database order the rows of orders by its own clock."""
        super().open(connection)
        self.outputs = _ByArrival(connection, self.ledger.consistency())


scenario = planted(__name__, __doc__ or "", "settlement", "LastWriteWins", "I9 I15", "zombies")
