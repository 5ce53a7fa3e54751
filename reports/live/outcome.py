"""What reconciling a running deployment came to."""

import msgspec

from reports.breaks import Break, Check, Verdict
from reports.live.orders.kinds import Line
from reports.live.parts import Flight
from reports.live.sources import Bounds, Cut
from reports.live.waivers import Waived
from reports.reconcile.statement import Statement, Step


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """One asset: what came in and went out, what is on its way, and what the ledger holds.

    `traded` is what legs of orders and fills add up to: nothing, but for what one shard has taken
    in and another one has not. `older` are the rows from before what the topics retain;
    `on_its_way` was decided, its row was not due yet.
    """

    asset_id: int
    deposits: int
    withdrawals: int
    traded: int
    older: int
    on_its_way: int
    held: int

    @property
    def owed(self) -> int:
        """What all accounts in the ledger together must hold."""
        came = self.deposits - self.withdrawals + self.traded + self.older
        return came - self.on_its_way


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The statement, the promises, and what was on its way. Times are relative to the cut.

    `trading` is what orders moved, `aside` the steps that only orders take; `flights` has first
    those of the statement's steps, then those of these.
    """

    verdict: Verdict
    cut: Cut
    bounds: Bounds
    statement: Statement
    checks: tuple[Check, ...]
    breaks: tuple[Break, ...]
    waived: Waived
    flights: tuple[Flight, ...]
    trading: tuple[Line, ...]
    aside: tuple[Step, ...]
    balances: tuple[Balance, ...]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]
    reads: dict[str, int]

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps, in the order of `flights`."""
        return (*self.statement.steps, *self.aside)

    @property
    def assets(self) -> list[int]:
        """All assets that occur anywhere."""
        return self.statement.assets
