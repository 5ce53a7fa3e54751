"""Reconciliation: control totals hop by hop, and every difference traced to what caused it."""

from reports.reconcile.codes import HOPS
from reports.reconcile.conservation import Conserved, conservation
from reports.reconcile.hops import Hop, Item
from reports.reconcile.statement import Difference, Statement, Step, reconcile
from reports.reconcile.trading import TradingStatement

__all__ = [
    "HOPS",
    "Conserved",
    "Difference",
    "Hop",
    "Item",
    "Statement",
    "Step",
    "TradingStatement",
    "conservation",
    "reconcile",
]
