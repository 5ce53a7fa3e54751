"""Settlement: turns each balance event into ledger rows, in order, exactly once."""
