"""The simulated Kafka brokers on real ports, one process each, with their data in a directory.

`python -m sim.tcp kafka --config FILE` (`config.Config`) starts one. `codec` speaks the protocol in
the versions of `versions`; `store` keeps what `sim.kafka.cluster.broker.Broker` records: `disklog`
and `segments` the partitions, `groups` the committed offsets, `metadata` topics and leaders.

**Faithful**: what the modules of `sim.kafka.cluster` and the ones here list; kill -9 and restart
keep everything that was answered, and answers wait for a write(), as Kafka's do (`fsync` for more).
**Simplified**: what those modules list; above all one replica of each partition, no transactions,
no compaction, no static members, no KIP-848 groups, no TLS, SASL or ACLs.
"""
