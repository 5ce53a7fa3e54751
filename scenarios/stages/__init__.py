"""Where a scenario is played: in a simulated world, or with real processes and servers."""
