"""The same state machines as in the simulated world, as servers on real TCP ports.

`shell.Shell` drives any `sim.machine.Machine` on asyncio; `process` is what every server's process
has in common: configuration, readiness, signals, exit codes.
"""
