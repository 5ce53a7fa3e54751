"""Preparing servers for a run: empty topics with the right settings, empty tables.

What may be deleted freely (a back end of ours) is deleted and made anew. On servers of somebody
else nothing is deleted but what was named for it, and what is there must fit.
"""

import io
import time
from collections.abc import Collection
from typing import Any

import msgspec
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from scenarios.backends.base import Ability, Backend
from scenarios.errors import Infrastructure, UsageError
from system import database, schema, topics
from system import kafka as clients
from system.config import Kafka, Topics
from system.database import Database, Scylla
from system.errors import Stop
from system.log import Log
from system.setup import Settings, Setup, Tables

_PATIENCE_S = 30.0
_FAILURES: tuple[type[Exception], ...] = (KafkaException, *database.FAILURES)
_PAUSE_S = 0.02


def connection(backend: Backend, keyspace: str) -> Scylla:
    """Return how the stage itself reaches the database: never over proxies."""
    return Scylla(
        contact_points=tuple(node.address.host for node in backend.nodes),
        port=backend.nodes[0].address.port,
        keyspace=keyspace,
        datacenter=backend.datacenter,
        connect_timeout_ms=10_000,
        request_timeout_ms=20_000,
        **backend.scylla_keys,
    )


def prepare(backend: Backend, keyspace: str, partitions: int, destroy: Collection[str]) -> None:
    """Leave empty topics and tables; `Infrastructure` says what stands in the way."""
    strange = set(destroy) - {*topics.ALL, keyspace}
    if strange:
        raise UsageError(
            f"--destroy {', '.join(sorted(strange))}: a run has no topic or keyspace of that name;"
            f" it has {', '.join(topics.ALL)} and {keyspace}"
        )
    kafka = msgspec.convert({"bootstrap": backend.bootstrap, **backend.kafka_keys}, Kafka)
    wanted = Topics(
        partitions=partitions, replication=backend.replication, min_insync=backend.min_insync
    )
    settings = Settings(
        kafka=kafka,
        scylla=connection(backend, keyspace),
        topics=wanted,
        tables=Tables(replication=min(3, len(backend.nodes))),
    )
    setup = Setup(settings)
    setup.log = Log(setup.name, io.StringIO())  # nobody reads what it says here
    try:
        _clear_topics(backend, kafka, partitions, destroy)
        setup.create_topics()
        session = database.connect(settings.scylla)
        try:
            ready = _clear_tables(backend, session, keyspace, destroy)
        finally:
            session.close()
        if not ready:
            setup.create_tables()
    except Stop as stop:
        raise Infrastructure(stop.message) from None
    except _FAILURES as error:
        raise Infrastructure(f"the servers cannot be prepared: {error}") from None


def _clear_topics(
    backend: Backend, kafka: Kafka, partitions: int, destroy: Collection[str]
) -> None:
    admin = AdminClient(clients.client(kafka, "wavetank"))
    there = _present(admin)
    doomed = []
    for topic in topics.ALL:
        if topic not in there:
            continue
        if Ability.CREATE in backend.abilities or topic in destroy:
            doomed.append(topic)
        elif there[topic] != partitions:
            raise Infrastructure(
                f"topic {topic} has {there[topic]} partitions on {kafka.bootstrap}, the scenario"
                f" needs {partitions}; delete it, or let this run do so: --destroy {topic}"
            )
        elif _holds_records(kafka, topic, partitions):
            raise Infrastructure(
                f"topic {topic} on {kafka.bootstrap} holds records, and a run begins with none;"
                f" delete it, or let this run do so: --destroy {topic}"
            )
    if not doomed:
        return
    for future in admin.delete_topics(doomed, operation_timeout=_PATIENCE_S).values():
        future.result()
    deadline = time.monotonic() + _PATIENCE_S
    while set(doomed) & _present(admin).keys():
        if time.monotonic() > deadline:
            raise Infrastructure(f"{', '.join(doomed)}: still there {_PATIENCE_S:.0f} s after")
        time.sleep(_PAUSE_S)


def _holds_records(kafka: Kafka, topic: str, partitions: int) -> bool:
    consumer = Consumer({**clients.client(kafka, "wavetank"), "group.id": "wavetank-reader"})
    try:
        places = [TopicPartition(topic, partition) for partition in range(partitions)]
        return any(consumer.get_watermark_offsets(place, _PATIENCE_S)[1] for place in places)
    finally:
        consumer.close()


def _present(admin: Any) -> dict[str, int]:
    """Return the topics that exist, with their partition counts."""
    found = admin.list_topics(timeout=_PATIENCE_S).topics
    return {name: len(topic.partitions) for name, topic in found.items()}


def _clear_tables(
    backend: Backend, session: Database, keyspace: str, destroy: Collection[str]
) -> bool:
    """Empty the tables; return whether they are there."""
    expected, found = schema.expected(), schema.found(session.query, keyspace)
    if not found:
        return False
    free = Ability.CREATE in backend.abilities or keyspace in destroy
    if found == expected:
        for table in sorted({column.table for column in expected}):
            if free:
                session.execute(f"TRUNCATE {keyspace}.{table}")
            elif session.query(f"SELECT * FROM {keyspace}.{table} LIMIT 1"):
                raise Infrastructure(
                    f"table {keyspace}.{table} holds rows, and a run begins with none; empty the"
                    f" tables, or let this run do so: --destroy {keyspace}"
                )
        return True
    if not free:
        differ = sorted({column.table for column in found ^ expected})
        raise Infrastructure(
            f"keyspace {keyspace} is of another schema version (tables {', '.join(differ)}"
            f" differ); drop it, or let this run do so: --destroy {keyspace}"
        )
    session.execute(f"DROP KEYSPACE {keyspace}")
    return False
