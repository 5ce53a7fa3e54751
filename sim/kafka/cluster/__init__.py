"""The brokers' half of simulated Kafka: plain state machines that answer requests.

Start at `broker.Broker` (one request in, effects out), then `state.State` (what a broker has),
then the abilities: `produce`, `fetch`, `offsets`, `metadata`, `topics`, `membership` with
`rebalance`, `commits`, `listing`. `log.Log` is a partition, `image.Image` what the controller
knows, `cluster.Cluster` the view from outside. Each module lists what of Kafka 4.0 it is faithful
to and what it leaves out. Left out everywhere: replication, transactions, compaction, tiered
storage, static members, KIP-848 and share groups, security. What is left out is refused: by an
error code where the protocol has one, else by not being among the versions that ApiVersions names.
"""
