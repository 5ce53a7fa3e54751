"""Produce: checks, duplicate detection, the append, and the answers that acks ask for.

**Faithful** (`ReplicaManager.scala`, `LogValidator.java`, `UnifiedLog.java`): the order of the
checks: leadership, min.insync.replicas (acks=all only), batch size, control and transactional
marks, timestamps, segment size, then sequences; a duplicate is answered with the offset of the
original and the original's timestamp in place of the append time; with acks=0 nothing is answered
and an error closes the connection; one batch in each partition.
**Simplified**: acks=all is complete with the append, as there is one replica; where
min.insync.replicas is more, acks=all is NOT_ENOUGH_REPLICAS, as if replicas were away (Kafka counts
no more than a partition has: produce.fewer_replicas_than_wanted in tests/conformance/kafka); no
transactions (KIP-98, KIP-890): a transactional batch is INVALID_TXN_STATE; of a batch off a wire
whose checksum holds, the records are opened only to compare their times; of one whose checksum does
not hold, nothing is looked at (Kafka says why a format is unknown, and looks for the mark of
transactions: produce.bytes_that_are_no_batch).
"""

from sim.kafka.batch import CONTROL, TRANSACTIONAL, Batch
from sim.kafka.cluster.configs import TopicConfig
from sim.kafka.cluster.fetch import wake
from sim.kafka.cluster.log import Log
from sim.kafka.cluster.state import MILLISECOND, State
from sim.kafka.entities import (
    BatchIndexAndErrorMessage,
    ErrorCode,
    PartitionProduceData,
    PartitionProduceResponse,
    ProduceLeaderIdAndEpoch,
    ProduceRequest,
    ProduceResponse,
    TopicProduceResponse,
)
from sim.kafka.errors import BatchError, OldFormat, UnknownCodec
from sim.kafka.protocol import Request, duration, moment
from sim.machine import Disconnect

_NONE = ErrorCode.none
_ALL = -1
_LAST_CODEC = 4
_TOO_LARGE = (ErrorCode.message_too_large, ErrorCode.record_list_too_large)


def produce(state: State, now_ns: int, connection: int, request: Request) -> ProduceResponse | None:
    """Serve Produce."""
    body: ProduceRequest = request.body
    now_ms = now_ns // MILLISECOND
    answers, grown, failed = [], [], False
    for topic in body.topic_data:
        parts = []
        for data in topic.partition_data:
            answer, added = _append(state, now_ms, topic.name, data, body)
            parts.append(answer)
            if added:
                grown.append((topic.name, data.index, added))
            failed = failed or answer.error_code != _NONE
        answers.append(TopicProduceResponse(name=topic.name, partition_responses=tuple(parts)))
    for name, index, added in grown:
        wake(state, now_ns, name, index, added)
    throttle_ms = 0
    if state.produce_quota.bytes_per_second:
        throttle_ms = state.produce_quota.throttle_ms(request.client_id, now_ms, request.size)
    found = state.connections[connection]
    found.throttle_ms = throttle_ms
    if body.acks == 0:
        if failed:
            state.effects.append(Disconnect(connection))
            state.close(connection)
        else:
            state.done(connection, found, throttle_ms)
        return None
    return ProduceResponse(responses=tuple(answers), throttle_time=duration(throttle_ms))


def _append(
    state: State, now_ms: int, topic: str, data: PartitionProduceData, body: ProduceRequest
) -> tuple[PartitionProduceResponse, int]:
    index = data.index
    error, partition, log = state.leads(topic, index)
    if body.acks not in (-1, 0, 1):
        error = ErrorCode.invalid_required_acks
    elif body.transactional_id is None and _transactional(data):
        error = ErrorCode.transactional_id_authorization_failed
    if error or log is None or partition is None:
        leader = None
        if error is ErrorCode.not_leader_or_follower and partition is not None:
            leader = ProduceLeaderIdAndEpoch(
                leader_id=partition.leader, leader_epoch=partition.leader_epoch
            )
        return _refused(index, error, -1, leader), 0
    config = log.config
    if body.acks == _ALL and (config.min_insync > 1 or state.lacks_replicas(topic)):
        return _refused(index, ErrorCode.not_enough_replicas, log.start), 0
    batches: tuple[Batch, ...] | BatchError = data.records or ()
    if isinstance(batches, BatchError):  # off a wire
        return _refused(index, _unsound(batches), -1), 0
    if len(batches) != 1 or batches[0].count < 1:
        return _refused(index, ErrorCode.invalid_record, -1), 0
    batch = batches[0]
    error = _fault(batch, config)
    if error:
        start = -1 if error in _TOO_LARGE else log.start
        return _refused(index, error, start), 0
    late = () if config.log_append_time else _bad_times(batch, config, now_ms)
    if late:
        return _out_of_time(index, log.start, late), 0
    return _sequenced(state, now_ms, topic, index, log, batch, partition.leader_epoch)


def _sequenced(
    state: State, now_ms: int, topic: str, index: int, log: Log, batch: Batch, epoch: int
) -> tuple[PartitionProduceResponse, int]:
    if batch.producer_id >= 0:
        known = log.producers.duplicate(batch)
        if known is not None:
            offset, timestamp = known
            state.record("duplicate", topic, index, offset)
            return _accepted(index, offset, timestamp, log.start), 0
        error = log.producers.refusal(batch)
        if error is not None:
            return _refused(index, error, log.start), 0
    append_ms = now_ms if log.config.log_append_time else -1
    placed = batch.placed(log.end, epoch, append_ms)
    log.append(placed)
    if placed.producer_id >= 0:
        log.producers.appended(placed)
    state.appended(topic, index, placed)
    return _accepted(index, placed.base_offset, append_ms, log.start), placed.size


def _transactional(data: PartitionProduceData) -> bool:
    batches: tuple[Batch, ...] | BatchError = data.records or ()
    if isinstance(batches, BatchError):
        return False
    return any(batch.attributes & TRANSACTIONAL for batch in batches)


def _fault(batch: Batch, config: TopicConfig) -> ErrorCode:
    if batch.size > config.max_message_bytes:
        return ErrorCode.message_too_large
    if batch.attributes & CONTROL:
        return ErrorCode.invalid_record
    if batch.attributes & TRANSACTIONAL:
        return ErrorCode.invalid_txn_state
    if batch.codec > _LAST_CODEC:  # CompressionType.forId: an exception that nobody expects
        return ErrorCode.unknown_server_error
    if batch.producer_id >= 0 and batch.base_sequence < 0:
        return ErrorCode.invalid_record
    if batch.size > config.segment_bytes:
        return ErrorCode.record_list_too_large
    return _NONE


def _bad_times(
    batch: Batch, config: TopicConfig, now_ms: int
) -> tuple[BatchIndexAndErrorMessage, ...]:
    early, late = now_ms - config.before_max_ms, now_ms + config.after_max_ms
    if batch.max_timestamp <= late and early <= 0:
        return ()
    try:
        times = [record[3] for record in batch.records]
    except BatchError as error:
        return (_record_error(0, str(error)),)
    return tuple(
        _record_error(at, f"timestamp {time} is out of range: [{early}, {late}]")
        for at, time in enumerate(times)
        if not early <= time <= late
    )


def _record_error(index: int, message: str) -> BatchIndexAndErrorMessage:
    return BatchIndexAndErrorMessage(batch_index=index, batch_index_error_message=message)


def _unsound(error: BatchError) -> ErrorCode:
    if isinstance(error, OldFormat):
        return ErrorCode.unsupported_for_message_format
    if isinstance(error, UnknownCodec):
        return ErrorCode.unsupported_compression_type
    return ErrorCode.corrupt_message


def _accepted(index: int, offset: int, append_ms: int, start: int) -> PartitionProduceResponse:
    return PartitionProduceResponse(
        index=index,
        error_code=_NONE,
        base_offset=offset,
        log_append_time=moment(append_ms),
        log_start_offset=start,
        record_errors=(),
    )


def _out_of_time(
    index: int, start: int, late: tuple[BatchIndexAndErrorMessage, ...]
) -> PartitionProduceResponse:
    return PartitionProduceResponse(
        index=index,
        error_code=ErrorCode.invalid_timestamp,
        base_offset=-1,
        log_append_time=None,
        log_start_offset=start,
        record_errors=late,
        error_message=f"{len(late)} records have a timestamp that is out of range",
        current_leader=ProduceLeaderIdAndEpoch(),
    )


def _refused(
    index: int,
    error: ErrorCode,
    start: int,
    leader: ProduceLeaderIdAndEpoch | None = None,
) -> PartitionProduceResponse:
    return PartitionProduceResponse(
        index=index,
        error_code=error,
        base_offset=-1,
        log_append_time=None,
        log_start_offset=start,
        record_errors=(),
        current_leader=leader or ProduceLeaderIdAndEpoch(),
    )
