"""WriteTxnMarkers: the record by which a transaction ends in a partition (KIP-98).

**Faithful** (`KafkaApis.scala`, `EndTransactionMarker.java`): whoever leads the partition writes a
control batch of one record, which no consumer is shown and whose offset stays taken; partitions
are answered one by one, those led elsewhere or unknown with an error.
**Simplified**: nobody begins a transaction here (KIP-98 is refused elsewhere), so a marker ends
none; epochs of producers and coordinators are not checked.
"""

import struct

from sim.kafka.batch import CONTROL, TRANSACTIONAL, Batch
from sim.kafka.cluster.fetch import wake
from sim.kafka.cluster.state import MILLISECOND, State
from sim.kafka.entities import (
    ErrorCode,
    WritableTxnMarker,
    WritableTxnMarkerPartitionResult,
    WritableTxnMarkerResult,
    WritableTxnMarkerTopicResult,
    WriteTxnMarkersResponse,
)
from sim.kafka.protocol import Request

_KEY = struct.Struct(">hh")  # version; 0 aborted, 1 committed
_VALUE = struct.Struct(">hi")  # version, epoch of the coordinator


def write(state: State, now_ns: int, connection: int, request: Request) -> WriteTxnMarkersResponse:  # noqa: ARG001
    """Serve WriteTxnMarkers."""
    return WriteTxnMarkersResponse(
        markers=tuple(
            WritableTxnMarkerResult(
                producer_id=marker.producer_id,
                topics=tuple(
                    WritableTxnMarkerTopicResult(
                        name=topic.name,
                        partitions=tuple(
                            WritableTxnMarkerPartitionResult(
                                partition_index=index,
                                error_code=_append(state, now_ns, topic.name, index, marker),
                            )
                            for index in topic.partition_indexes
                        ),
                    )
                    for topic in marker.topics
                ),
            )
            for marker in request.body.markers
        )
    )


def _append(
    state: State, now_ns: int, topic: str, index: int, marker: WritableTxnMarker
) -> ErrorCode:
    error, partition, log = state.leads(topic, index)
    if error or log is None or partition is None:
        return error
    now_ms = now_ns // MILLISECOND
    key = _KEY.pack(0, marker.transaction_result)
    record = (key, _VALUE.pack(0, marker.coordinator_epoch), (), now_ms)
    batch = Batch((record,), int(marker.producer_id), int(marker.producer_epoch))
    batch.attributes = TRANSACTIONAL | CONTROL
    append_ms = now_ms if log.config.log_append_time else -1
    placed = batch.placed(log.end, partition.leader_epoch, append_ms)
    log.append(placed)
    state.appended(topic, index, placed)
    wake(state, now_ns, topic, index, placed.size)
    return ErrorCode.none
