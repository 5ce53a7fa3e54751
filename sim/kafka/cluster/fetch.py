"""Fetch: whole batches from the wanted offset, or a wait until there is enough.

**Faithful** (`ReplicaManager.scala`, `DelayedFetch.scala`, KIP-74, KIP-320): at once if there is
an error, enough data or no wait; otherwise parked until `min_bytes` have come or `max_wait` is
over; limits for each partition and in all, of which the first batch is exempt; leader epochs
checked; OFFSET_OUT_OF_RANGE below the log start and beyond the end.
**Simplified**: no fetch sessions (KIP-227: every answer says session 0, which clients accept), no
follower fetching, no aborted transactions: the last stable offset is the high watermark.
"""

from sim.kafka.batch import Batch
from sim.kafka.cluster.log import Log
from sim.kafka.cluster.state import MILLISECOND, ParkedFetch, State
from sim.kafka.entities import (
    ErrorCode,
    FetchableTopicResponse,
    FetchEpochEndOffset,
    FetchLeaderIdAndEpoch,
    FetchPartition,
    FetchRequest,
    FetchResponse,
    PartitionData,
)
from sim.kafka.protocol import Repeated, Request, duration, milliseconds

_NONE = ErrorCode.none
_NO_DIVERGENCE = FetchEpochEndOffset()
_NO_LEADER = FetchLeaderIdAndEpoch()  # told from version 16 on only (KIP-951)
_READ_UNCOMMITTED = 0


def fetch(state: State, now_ns: int, connection: int, request: Request) -> FetchResponse | None:
    """Serve Fetch."""
    body: FetchRequest = request.body
    wait_ms = milliseconds(body.max_wait)
    if wait_ms > 0 and body.topics:
        missing = _missing(state, body)
        if missing > 0:
            _park(state, now_ns + wait_ms * MILLISECOND, connection, request, missing)
            return None
    return _read(state, now_ns, connection, request)


def wake(state: State, now_ns: int, topic: str, partition: int, added: int) -> None:
    """Answer the parked fetches that now have enough, `added` bytes having come."""
    watchers = state.watchers.get((topic, partition))
    if not watchers:
        return
    for connection in list(watchers):
        parked = state.parked[connection]
        parked.missing -= added
        if parked.missing <= 0:
            state.cancel(("fetch", connection))
            _finish(state, now_ns, connection)


def fetch_timeout(state: State, now_ns: int, connection: int) -> None:
    """Answer a parked fetch whose wait is over with what there is."""
    if connection in state.parked:
        parked = _unwatch(state, connection)
        body = _nothing(state, now_ns, connection, parked.request)
        if body is None:
            body = _read(state, now_ns, connection, parked.request)
        state.answer(connection, body, state.connections[connection].throttle_ms)


def unpark(state: State, connection: int) -> None:
    """Forget the parked fetch of a connection that is gone."""
    if connection in state.parked:
        state.cancel(("fetch", connection))
        _unwatch(state, connection)


def _park(state: State, until_ns: int, connection: int, request: Request, missing: int) -> None:
    state.parked[connection] = ParkedFetch(request, missing)
    watchers = state.watchers
    for topic in request.body.topics:
        for wanted in topic.partitions:
            key = (topic.topic, wanted.partition)
            if key in watchers:
                watchers[key][connection] = None
            else:
                watchers[key] = {connection: None}
    state.timer(("fetch", connection), until_ns)


def _unwatch(state: State, connection: int) -> ParkedFetch:
    parked = state.parked.pop(connection)
    for topic in parked.request.body.topics:
        for wanted in topic.partitions:
            state.watchers[topic.topic, wanted.partition].pop(connection, None)
    return parked


def _finish(state: State, now_ns: int, connection: int) -> None:
    parked = _unwatch(state, connection)
    body = _read(state, now_ns, connection, parked.request)
    state.answer(connection, body, state.connections[connection].throttle_ms)


def _nothing(state: State, now_ns: int, connection: int, request: Request) -> Repeated | None:
    """Return the answer that there is nothing, made once for a request that is sent again."""
    ends = _ends(state, request.body)
    if ends is None or state.fetch_quota.bytes_per_second:
        return None
    found = state.connections[connection]
    last = found.nothing
    if last is None or last[0] is not request.body or last[1] != ends:
        answer = Repeated(_read(state, now_ns, connection, request))
        last = found.nothing = request.body, ends, answer
    return last[2]


def _ends(state: State, body: FetchRequest) -> tuple[tuple[int, int], ...] | None:
    """Return start and end of every wanted log; None if one has more than that to tell."""
    ends = []
    for topic in body.topics:
        for wanted in topic.partitions:
            _, _, log = state.leads(topic.topic, wanted.partition, wanted.current_leader_epoch)
            if log is None or wanted.fetch_offset != log.end or wanted.last_fetched_epoch >= 0:
                return None
            ends.append((log.start, log.end))
    return tuple(ends)


def _missing(state: State, body: FetchRequest) -> int:
    """Return how many bytes are missing; 0 if the answer is due at once."""
    missing: int = body.min_bytes
    for topic in body.topics:
        for wanted in topic.partitions:
            _, _, log = state.leads(topic.topic, wanted.partition, wanted.current_leader_epoch)
            offset = wanted.fetch_offset
            if log is None or not log.start <= offset <= log.end:
                return 0
            if offset < log.end:
                missing -= log.bytes_from(offset, missing)
                if missing <= 0:
                    return 0
    return missing


def _read(state: State, now_ns: int, connection: int, request: Request) -> FetchResponse:
    body: FetchRequest = request.body
    left, nothing_yet, responses = body.max_bytes, True, []
    for topic in body.topics:
        parts = []
        for wanted in topic.partitions:
            part = _read_partition(
                state, topic.topic, wanted, left, body.isolation_level, at_least_one=nothing_yet
            )
            for batch in part.records:
                left -= batch.size
                nothing_yet = False
            parts.append(part)
        responses.append(FetchableTopicResponse(topic=topic.topic, partitions=tuple(parts)))
    throttle_ms = 0
    if state.fetch_quota.bytes_per_second:
        quota, size = state.fetch_quota, body.max_bytes - left
        throttle_ms = quota.throttle_ms(request.client_id, now_ns // MILLISECOND, size)
        state.connections[connection].throttle_ms = throttle_ms
        if throttle_ms:  # FetchSession.getThrottledResponse: nothing but the time to wait
            quota.take_back(request.client_id)
            responses.clear()
    return FetchResponse(
        throttle_time=duration(throttle_ms),
        error_code=_NONE,
        session_id=0,
        responses=tuple(responses),
    )


def _read_partition(
    state: State,
    topic: str,
    wanted: FetchPartition,
    left: int,
    isolation: int,
    *,
    at_least_one: bool,
) -> PartitionData:
    error, _, log = state.leads(topic, wanted.partition, wanted.current_leader_epoch)
    divergence = _NO_DIVERGENCE
    batches: list[Batch] = []
    if log is not None:
        error, divergence = _divergence(log, wanted)
        if error:
            log = None
        elif divergence is _NO_DIVERGENCE and wanted.fetch_offset < log.end:
            limit = min(wanted.partition_max_bytes, left)
            batches = log.read(wanted.fetch_offset, limit, at_least_one=at_least_one)
    end = -1 if log is None else log.end
    return PartitionData(
        partition_index=wanted.partition,
        error_code=error,
        high_watermark=end,
        last_stable_offset=end,
        log_start_offset=-1 if log is None else log.start,
        diverging_epoch=divergence,
        current_leader=_NO_LEADER,
        aborted_transactions=_aborted(error, divergence, isolation),
        records=tuple(batches),
    )


def _divergence(log: Log, wanted: FetchPartition) -> tuple[ErrorCode, FetchEpochEndOffset]:
    """Return whether a reader has to go back, and where its log and this one part.

    That is looked at first (`Partition.readRecords`); a reader that has seen an epoch that this log
    does not know is out of range.
    """
    last, offset = wanted.last_fetched_epoch, wanted.fetch_offset
    if last >= 0:
        epoch, end = log.epochs.end_of(last, log.end)
        if epoch < 0:
            return ErrorCode.offset_out_of_range, _NO_DIVERGENCE
        if epoch < last or end < offset:
            return _NONE, FetchEpochEndOffset(epoch=epoch, end_offset=end)
    in_range = log.start <= offset <= log.end
    return _NONE if in_range else ErrorCode.offset_out_of_range, _NO_DIVERGENCE


def _aborted(error: ErrorCode, divergence: FetchEpochEndOffset, isolation: int) -> tuple[()] | None:
    if error is ErrorCode.unknown_topic_or_partition:
        return ()
    looked = not error and divergence is _NO_DIVERGENCE and isolation != _READ_UNCOMMITTED
    return () if looked else None
