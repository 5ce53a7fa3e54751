"""Kafka's protocol, one question and its answer at a time: for probing and warming brokers.

A client library asks a young broker again after a second; this one asks again at once.
"""

import io
import socket
import struct
import time
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Self

from kio.serial import entity_reader, entity_writer

from scenarios.backends.base import Address
from scenarios.backends.sockets import read_exactly
from scenarios.errors import Infrastructure
from sim.kafka.entities import (
    FindCoordinatorRequest,
    InitProducerIdRequest,
    ListOffsetsPartition,
    ListOffsetsRequest,
    ListOffsetsTopic,
    MetadataRequest,
    OffsetFetchRequest,
    WritableTxnMarker,
    WritableTxnMarkerTopic,
    WriteTxnMarkersRequest,
)
from sim.kafka.protocol import APIS, duration

GROUP, TRANSACTION = 0, 1  # kinds of coordinators
_PAUSE_S = 0.02
_CLIENT = "wavetank"
_NOBODY = 2**62  # a producer id that no broker hands out


class Wire:
    """One connection to a broker."""

    def __init__(self, address: Address, timeout_s: float) -> None:
        self._socket = socket.create_connection((address.host, address.port), timeout_s)

    def ask(self, request: Any) -> Any:
        """Send a request, an entity of `sim.kafka.entities`, and return its response."""
        out, header = io.BytesIO(), type(request).__header_schema__
        entity_writer(header)(
            out,
            header(
                request_api_key=request.__api_key__,
                request_api_version=request.__version__,
                correlation_id=1,
                client_id=_CLIENT,
            ),
        )
        entity_writer(type(request))(out, request)
        self._socket.sendall(struct.pack(">i", out.tell()) + out.getvalue())
        (size,) = struct.unpack(">i", read_exactly(self._socket, 4))
        answer = read_exactly(self._socket, size)
        response = _RESPONSES[type(request)]
        _, at = entity_reader(response.__header_schema__)(answer, 0)  # type: ignore[attr-defined]
        return entity_reader(response)(answer, at)[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._socket.close()


_RESPONSES = {api.request: api.response for api in APIS.values()}


def brokers(address: Address, timeout_s: float = 1.0) -> tuple[Any, ...]:
    """Return the brokers of the metadata that the one at `address` gives; none if it is silent."""
    question = MetadataRequest(
        topics=(), allow_auto_topic_creation=False, include_topic_authorized_operations=False
    )
    try:
        with Wire(address, timeout_s) as wire:
            return tuple(wire.ask(question).brokers)
    except OSError:
        return ()


def lists(address: Address, broker_id: int) -> bool:
    """Whether the broker at `address` finds itself among the brokers of its cluster."""
    return any(each.node_id == broker_id for each in brokers(address))


def warm(brokers: Mapping[int, Address], timeout_s: float, *, transactions: bool) -> None:
    """Have brokers, by their ids, hand out producer ids, find the coordinators and load them.

    The first of each costs seconds: ids are taken in blocks from the controller, the topics of
    the coordinators are created on demand.
    """
    deadline = time.monotonic() + timeout_s
    kinds = (TRANSACTION, GROUP) if transactions else (GROUP,)
    found = [_greet(address, kinds, deadline, timeout_s) for address in brokers.values()]
    # Found by its id: it advertises a proxy, perhaps, which is not there yet.
    with Wire(brokers[found[0]], timeout_s) as wire:
        question = OffsetFetchRequest(group_id=_CLIENT, topics=None, require_stable=False)
        _until_granted(wire, question, deadline)


def mark(brokers: Sequence[Address], topic: str, partition: int, timeout_s: float = 5.0) -> int:
    """Have the leader of a partition end a transaction that nobody began; return the offset.

    Consumers are not shown the record that says so, and pass over its offset (WriteTxnMarkers,
    KIP-98). Raises `Infrastructure` if no broker does.
    """
    said: list[str] = []
    for address in brokers:
        try:
            with Wire(address, timeout_s) as wire:
                answer = wire.ask(_marker(topic, partition))
                error = answer.markers[0].topics[0].partitions[0].error_code
                if not error:
                    return int(wire.ask(_end(topic, partition)).topics[0].partitions[0].offset) - 1
                said.append(error.name)
        except OSError as error:
            said.append(str(error))
    raise Infrastructure(f"no broker ends a transaction in {topic}[{partition}]: {said}")


def _marker(topic: str, partition: int) -> WriteTxnMarkersRequest:
    where = WritableTxnMarkerTopic(name=topic, partition_indexes=(partition,))
    return WriteTxnMarkersRequest(
        markers=(
            WritableTxnMarker(
                producer_id=_NOBODY,
                producer_epoch=0,
                transaction_result=False,
                topics=(where,),
                coordinator_epoch=0,
            ),
        )
    )


def _end(topic: str, partition: int) -> ListOffsetsRequest:
    part = ListOffsetsPartition(partition_index=partition, timestamp=-1)
    return ListOffsetsRequest(
        replica_id=-1,
        isolation_level=0,
        topics=(ListOffsetsTopic(name=topic, partitions=(part,)),),
    )


def _greet(address: Address, kinds: Sequence[int], deadline: float, timeout_s: float) -> int:
    """Ask a broker for all that its first client would; return the id of the coordinator."""
    with Wire(address, timeout_s) as wire:
        _until_granted(wire, _producer_id(), deadline)
        questions = [FindCoordinatorRequest(key=_CLIENT, key_type=kind) for kind in kinds]
        answers = [_until_granted(wire, question, deadline) for question in questions]
    coordinator: int = answers[-1].node_id
    return coordinator


def _producer_id() -> InitProducerIdRequest:
    return InitProducerIdRequest(
        transactional_id=None,
        transaction_timeout=duration(60_000),
        producer_id=-1,
        producer_epoch=-1,
    )


def _until_granted(wire: Wire, question: Any, deadline: float) -> Any:
    while True:
        answer = wire.ask(question)
        if not answer.error_code:
            return answer
        if time.monotonic() > deadline or not answer.error_code.retriable:
            raise Infrastructure(
                f"a broker answers {type(question).__name__} with {answer.error_code.name}"
            )
        time.sleep(_PAUSE_S)
