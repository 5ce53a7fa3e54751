"""Settlement: turns each balance event into ledger rows, in order, exactly once."""

from system.settlement.program import Settlement

__all__ = ["Settlement"]
