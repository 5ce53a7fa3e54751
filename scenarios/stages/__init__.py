"""Where a scenario is played: in a simulated world."""
