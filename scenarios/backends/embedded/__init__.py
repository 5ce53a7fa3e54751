"""Our own brokers and CQL nodes, the simulation's state machines, as processes on real ports."""
