"""Where the world and the exchange meet: scenarios, faults, checkers, the command line."""
