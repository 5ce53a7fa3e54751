"""Where offsets are: ListOffsets, OffsetForLeaderEpoch, and DeleteRecords that moves the start.

**Faithful** (`Partition.scala`, KIP-79, KIP-207, KIP-320, KIP-734): earliest, latest, the first
record not older than a timestamp, the record with the largest timestamp; leader epochs checked;
where DeleteRecords let a log start is noted once a minute, and forgotten by a kill before that.
**Simplified**: no transactions, so both isolation levels end at the high watermark; no tiered
storage, so the earliest local offset and the like are refused.
"""

from collections.abc import Callable
from typing import Any

from sim.kafka.cluster.log import Found, Log
from sim.kafka.cluster.state import MILLISECOND, State
from sim.kafka.entities import (
    DeleteRecordsPartition,
    DeleteRecordsPartitionResult,
    DeleteRecordsResponse,
    DeleteRecordsTopicResult,
    EpochEndOffset,
    ErrorCode,
    ListOffsetsPartition,
    ListOffsetsPartitionResponse,
    ListOffsetsResponse,
    ListOffsetsTopicResponse,
    OffsetForLeaderEpochResponse,
    OffsetForLeaderPartition,
    OffsetForLeaderTopicResult,
)
from sim.kafka.protocol import ZERO, Request

LATEST, EARLIEST, MAX_TIMESTAMP = -1, -2, -3
_NOTED_NS = 60_000 * MILLISECOND  # log.flush.start.offset.checkpoint.interval.ms


def list_offsets(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve ListOffsets."""
    topics = tuple(
        ListOffsetsTopicResponse(
            name=topic.name,
            partitions=tuple(_list_one(state, topic.name, part) for part in topic.partitions),
        )
        for topic in request.body.topics
    )
    return ListOffsetsResponse(throttle_time=ZERO, topics=topics)


def end_of_epochs(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve OffsetForLeaderEpoch."""
    topics = tuple(
        OffsetForLeaderTopicResult(
            topic=topic.topic,
            partitions=tuple(_epoch_end(state, topic.topic, part) for part in topic.partitions),
        )
        for topic in request.body.topics
    )
    return OffsetForLeaderEpochResponse(throttle_time=ZERO, topics=topics)


def delete_records(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve DeleteRecords."""
    topics = tuple(
        DeleteRecordsTopicResult(
            name=topic.name,
            partitions=tuple(
                _delete_one(state, now_ns, topic.name, part) for part in topic.partitions
            ),
        )
        for topic in request.body.topics
    )
    return DeleteRecordsResponse(throttle_time=ZERO, topics=topics)


_SPECIAL: dict[int, Callable[[Log], Found | None]] = {
    LATEST: lambda log: Found(log.end, -1, log.epochs.newest),
    EARLIEST: lambda log: Found(log.start, -1, log.epochs.at(log.start)),
    MAX_TIMESTAMP: Log.newest,
}


def _list_one(
    state: State, topic: str, wanted: ListOffsetsPartition
) -> ListOffsetsPartitionResponse:
    error, _, log = state.leads(topic, wanted.partition_index, wanted.current_leader_epoch)
    found: Found | None = None
    if log is not None:
        if wanted.timestamp >= 0:
            found = log.first_since(wanted.timestamp)
        elif wanted.timestamp in _SPECIAL:
            found = _SPECIAL[wanted.timestamp](log)
        else:
            error = ErrorCode.unsupported_version
    if found is None:
        return ListOffsetsPartitionResponse(
            partition_index=wanted.partition_index, error_code=error
        )
    return ListOffsetsPartitionResponse(
        partition_index=wanted.partition_index,
        error_code=error,
        timestamp=found.timestamp,
        offset=found.offset,
        leader_epoch=found.leader_epoch,
    )


def _epoch_end(state: State, topic: str, wanted: OffsetForLeaderPartition) -> EpochEndOffset:
    error, _, log = state.leads(topic, wanted.partition, wanted.current_leader_epoch)
    epoch, end = (-1, -1) if log is None else log.epochs.end_of(wanted.leader_epoch, log.end)
    return EpochEndOffset(
        error_code=error, partition=wanted.partition, leader_epoch=epoch, end_offset=end
    )


def _delete_one(
    state: State, now_ns: int, topic: str, wanted: DeleteRecordsPartition
) -> DeleteRecordsPartitionResult:
    error, _, log = state.leads(topic, wanted.partition_index)
    low = -1
    if log is not None:
        until = log.end if wanted.offset == -1 else wanted.offset
        if 0 <= until <= log.end:
            log.start_at(until)
            low = log.start
            state.record("log-start", topic, wanted.partition_index, low)
            _note_starts_later(state, now_ns)
        else:
            error = ErrorCode.offset_out_of_range
    return DeleteRecordsPartitionResult(
        partition_index=wanted.partition_index, low_watermark=low, error_code=error
    )


def _note_starts_later(state: State, now_ns: int) -> None:
    if not state.starts_moved:
        state.starts_moved = True
        state.timer(("starts",), now_ns + _NOTED_NS - (now_ns - state.started_ns) % _NOTED_NS)
