"""The simulated CQL nodes on real ports, one process each, with their data in a directory.

`python -m sim.tcp cql --config FILE` (`config.Config`) starts one. `frames` speaks the native
protocol with clients, `links` is what nodes say to each other, `storage` what they keep.

**Faithful**: what the modules of `sim.scylla` and the ones here list; with `commitlog.sync` =
``batch`` kill -9, a power loss and a restart keep everything that was acknowledged.
**Simplified**: what those modules list; above all no logged batches of several
partitions, no conditional writes, no ALTER, no
DESCRIBE; the nodes of a cluster are those of its first start; all rows are held in memory; no TLS,
no authentication, no compression.
"""
