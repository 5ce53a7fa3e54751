"""Load on a deployment of real processes: how much it settles, how fast, and whether all of it."""
