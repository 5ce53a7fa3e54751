"""A client's side of the wire, written with kio alone."""

import io
import socket
import struct
from typing import Any, Self

from kio.serial import entity_reader, entity_writer

from sim.kafka import entities
from sim.kafka.batch import Batch
from sim.kafka.protocol import APIS, ZERO, duration
from sim.tcp.kafka.versions import spoken


def frame(entity: Any, correlation_id: int = 1, client_id: str | None = "me") -> bytes:
    """Return a request as bytes."""
    out = io.BytesIO()
    header = type(entity).__header_schema__
    values: dict[str, Any] = {
        "request_api_key": type(entity).__api_key__,
        "request_api_version": type(entity).__version__,
        "correlation_id": correlation_id,
        "client_id": client_id,
    }
    entity_writer(header)(out, header(**values))
    entity_writer(type(entity))(out, entity)
    body = out.getvalue()
    return struct.pack(">i", len(body)) + body


def answer(data: bytes, name: str, version: int) -> tuple[int, Any]:
    """Return correlation id and body of the one response that `data` is."""
    assert len(data) == 4 + int.from_bytes(data[:4])
    kind = spoken(APIS[name].key, version).response
    if name == "ApiVersions":
        body, size = entity_reader(kind)(data, 8)
        assert 8 + size == len(data)
        return int.from_bytes(data[4:8]), body
    header, used = entity_reader(kind.__header_schema__)(data, 4)
    body, size = entity_reader(kind)(data, 4 + used)
    assert 4 + used + size == len(data)
    return header.correlation_id, body


class Client:
    """A connection that asks in the versions of the machine."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), 10)

    def ask(self, body: Any) -> Any:
        """Send one request; return the body of its answer."""
        name = type(body).__name__.removesuffix("Request")
        self.socket.sendall(frame(body))
        return answer(self._read(), name, APIS[name].version)[1]

    def _read(self) -> bytes:
        data = b""
        while len(data) < 4 or len(data) < 4 + int.from_bytes(data[:4]):
            more = self.socket.recv(65536)
            assert more, "the broker hung up"
            data += more
        return data

    def create(self, name: str, partitions: int, config: dict[str, str] | None = None) -> str:
        """Make a topic; return the name of the error."""
        configs = tuple(
            entities.CreatableTopicConfig(name=key, value=value)
            for key, value in (config or {}).items()
        )
        topic = entities.CreatableTopic(
            name=name,
            num_partitions=partitions,
            replication_factor=1,
            assignments=(),
            configs=configs,
        )
        body = entities.CreateTopicsRequest(
            topics=(topic,), timeout=duration(5000), validate_only=False
        )
        error: str = self.ask(body).topics[0].error_code.name
        return error

    def delete(self, name: str) -> str:
        """Delete a topic; return the name of the error."""
        body = entities.DeleteTopicsRequest(topic_names=(name,), timeout=duration(5000))
        error: str = self.ask(body).responses[0].error_code.name
        return error

    def produce(self, topic: str, partition: int, *values: bytes) -> str:
        """Append records; return the name of the error."""
        batch = Batch(tuple((None, value, (), 5) for value in values))
        data = entities.TopicProduceData(
            name=topic,
            partition_data=(
                entities.PartitionProduceData(index=partition, records=batch.encode()),
            ),
        )
        body = entities.ProduceRequest(
            transactional_id=None, acks=-1, timeout=duration(5000), topic_data=(data,)
        )
        error: str = self.ask(body).responses[0].partition_responses[0].error_code.name
        return error

    def fetch(self, topic: str, partition: int, offset: int = 0) -> tuple[str, list[bytes | None]]:
        """Return the name of the error and the values from `offset` on."""
        part = entities.FetchPartition(
            partition=partition, fetch_offset=offset, partition_max_bytes=10**6
        )
        body = entities.FetchRequest(
            max_wait=ZERO,
            min_bytes=0,
            max_bytes=10**6,
            isolation_level=0,
            session_id=0,
            session_epoch=-1,
            forgotten_topics_data=(),
            rack_id="",
            replica_id=-1,
            topics=(entities.FetchTopic(topic=topic, partitions=(part,)),),
        )
        found = self.ask(body).responses[0].partitions[0]
        batches = Batch.decode_all(found.records or b"")
        return found.error_code.name, [row[1] for batch in batches for row in batch.records]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.socket.close()
