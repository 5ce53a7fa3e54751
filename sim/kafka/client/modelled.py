"""Which configuration properties are modelled, and which may be set because they do no harm.

Every other one is refused unless it has the library's default value. A property of consumers
has no effect on a producer and the other way round, here as in the library.
"""

_COMMON = """
    client.id metadata.broker.list message.max.bytes topic.metadata.refresh.interval.ms
    topic.metadata.refresh.fast.interval.ms topic.metadata.propagation.max.ms socket.timeout.ms
    socket.connection.setup.timeout.ms reconnect.backoff.ms reconnect.backoff.max.ms
    retry.backoff.ms retry.backoff.max.ms max.in.flight.requests.per.connection
    allow.auto.create.topics
"""
_PRODUCER = """
    enable.idempotence enable.gapless.guarantee queue.buffering.max.messages
    queue.buffering.max.kbytes queue.buffering.max.ms message.send.max.retries
    queue.buffering.backpressure.threshold batch.num.messages batch.size
    sticky.partitioning.linger.ms request.required.acks request.timeout.ms message.timeout.ms
    partitioner
"""
_CONSUMER = """
    group.id group.instance.id partition.assignment.strategy session.timeout.ms
    heartbeat.interval.ms max.poll.interval.ms enable.auto.commit auto.commit.interval.ms
    enable.auto.offset.store queued.min.messages queued.max.messages.kbytes fetch.wait.max.ms
    fetch.queue.backoff.ms fetch.message.max.bytes fetch.max.bytes fetch.min.bytes
    fetch.error.backoff.ms isolation.level enable.partition.eof check.crcs auto.offset.reset
"""
MODELLED = frozenset(f"{_COMMON} {_PRODUCER} {_CONSUMER}".split())

# Sizes on the wire are those of uncompressed batches; no client here reads what is logged, pushed
# as telemetry or asked of sockets.
_NOTHING_TO_SEE = """
    compression.codec compression.level debug log_level log.queue log.thread.name
    log.connection.close client.software.name client.software.version socket.keepalive.enable
    socket.nagle.disable socket.send.buffer.bytes socket.receive.buffer.bytes
    message.copy.max.bytes receive.message.max.bytes broker.address.ttl broker.address.family
    client.dns.lookup enable.metrics.push api.version.request api.version.request.timeout.ms
    api.version.fallback.ms broker.version.fallback enable.random.seed
"""
# Deprecated, "no longer used", or only for functions that Python does not have.
_WITHOUT_EFFECT = """
    socket.blocking.max.ms topic.metadata.refresh.fast.cnt produce.offset.report
    consume.callback.max.messages offset.store.sync.interval.ms offset.store.path
    reconnect.backoff.jitter.ms max.poll.records transaction.timeout.ms
"""
HARMLESS = frozenset(f"{_NOTHING_TO_SEE} {_WITHOUT_EFFECT}".split())
