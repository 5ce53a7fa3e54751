"""Who is where: ApiVersions, Metadata, FindCoordinator, and InitProducerId.

**Faithful** (`KafkaApis.scala`, `KRaftMetadataCache.java`): a broker that is away stays the leader
in metadata until its session ends; then its partitions have no leader (LEADER_NOT_AVAILABLE) and
it is not listed; a coordinator is the leader of the group's partition of the offsets topic.
**Simplified**: a broker notices that another is away when a client asks for metadata, and counts
its session from then; the internal topics are not listed; no authorised operations; transaction
coordinators are refused with TRANSACTIONAL_ID_AUTHORIZATION_FAILED (a transactional id elsewhere
with UNSUPPORTED_VERSION: admin.transactions in tests/conformance/kafka).
"""

from typing import Any

from sim.kafka.cluster.image import Partition, Refused, Topic, legal
from sim.kafka.cluster.state import MILLISECOND, State
from sim.kafka.entities import (
    ApiVersion,
    ApiVersionsResponse,
    ErrorCode,
    FindCoordinatorResponse,
    InitProducerIdRequest,
    InitProducerIdResponse,
    MetadataRequest,
    MetadataRequestTopic,
    MetadataResponse,
    MetadataResponseBroker,
    MetadataResponsePartition,
    MetadataResponseTopic,
)
from sim.kafka.protocol import APIS, ZERO, Request

_NONE = ErrorCode.none
_GROUP, _TRANSACTION = 0, 1  # kinds of coordinators


def api_versions(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve ApiVersions: exactly one version of each."""
    apis = sorted(APIS.values(), key=lambda api: api.key)
    return ApiVersionsResponse(
        error_code=_NONE,
        api_keys=tuple(
            ApiVersion(api_key=api.key, min_version=api.version, max_version=api.version)
            for api in apis
        ),
        throttle_time=ZERO,
    )


def metadata(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve Metadata; about topics that exist, the answer is made once for all who ask."""
    body: MetadataRequest = request.body
    fenced = _fenced(state, now_ns)
    asked = None if body.topics is None else tuple(wanted.name for wanted in body.topics)
    if asked is not None and not all(name in state.image.topics for name in asked):
        return _described(state, body, fenced)
    return state.image.answer((asked, *fenced), lambda: _described(state, body, fenced))


def _described(state: State, body: MetadataRequest, fenced: list[int]) -> MetadataResponse:
    image = state.image
    if body.topics is None:
        topics = tuple(_topic(topic, fenced) for topic in image.topics.values())
    else:
        create = body.allow_auto_topic_creation and state.settings.auto_create_topics
        once = {(topic.name, topic.topic_id): topic for topic in body.topics}.values()
        topics = tuple(_wanted(state, topic, fenced, create=create) for topic in once)
    brokers = tuple(
        MetadataResponseBroker(node_id=node.broker_id, host=node.host, port=node.port)
        for node in image.nodes.values()
        if node.broker_id not in fenced
    )
    return MetadataResponse(
        throttle_time=ZERO,
        brokers=brokers,
        cluster_id=image.cluster_id,
        controller_id=brokers[0].node_id,
        topics=topics,
    )


def find_coordinator(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve FindCoordinator for a group."""
    error = _NONE
    broker_id = state.image.coordinator(request.body.key)
    if request.body.key_type not in (_GROUP, _TRANSACTION):
        error = ErrorCode.invalid_request
    elif request.body.key_type == _TRANSACTION:
        # The one refusal that every client takes as final at once, instead of asking again.
        error = ErrorCode.transactional_id_authorization_failed
    elif broker_id in _fenced(state, now_ns):
        error = ErrorCode.coordinator_not_available
    node = state.image.nodes[broker_id]
    return FindCoordinatorResponse(
        throttle_time=ZERO,
        error_code=error,
        error_message=error.name.upper(),
        node_id=-1 if error else broker_id,
        host="" if error else node.host,
        port=-1 if error else node.port,
    )


def init_producer_id(state: State, now_ns: int, connection: int, request: Request) -> Any:  # noqa: ARG001
    """Serve InitProducerId of an idempotent producer: always a new id, epoch 0."""
    body: InitProducerIdRequest = request.body
    half = (body.producer_id == -1) != (body.producer_epoch == -1)
    if half or body.transactional_id is not None:
        bad = half or body.transactional_id == ""
        return InitProducerIdResponse(
            throttle_time=ZERO,
            error_code=ErrorCode.invalid_request if bad else ErrorCode.unsupported_version,
            producer_id=-1,
            producer_epoch=-1,
        )
    if not state.producer_ids:
        try:
            state.producer_ids = list(reversed(state.image.producer_ids()))
        except Refused as refusal:
            return InitProducerIdResponse(
                throttle_time=ZERO, error_code=refusal.code, producer_id=-1, producer_epoch=-1
            )
    producer_id = state.producer_ids.pop()
    state.record("producer-id", producer_id)
    return InitProducerIdResponse(
        throttle_time=ZERO, error_code=_NONE, producer_id=producer_id, producer_epoch=0
    )


def _fenced(state: State, now_ns: int) -> list[int]:
    """Return the brokers whose session is over, as far as this broker knows."""
    away, up = state.away_since, state.image.up
    fenced = []
    for broker_id, here in up.items():
        if here:
            away.pop(broker_id, None)
        elif state.image.nodes[broker_id].port < 0:  # it has never been here
            fenced.append(broker_id)
        else:
            since = away.setdefault(broker_id, now_ns)
            if now_ns - since >= state.settings.broker_session_timeout_ms * MILLISECOND:
                fenced.append(broker_id)
    return fenced


def _wanted(
    state: State, wanted: MetadataRequestTopic, fenced: list[int], *, create: bool
) -> MetadataResponseTopic:
    name, topics = wanted.name, state.image.topics
    if name is None:
        known = [topic for topic in topics.values() if topic.topic_id == wanted.topic_id]
        if known:
            return _topic(known[0], fenced)
        return _missing(None, wanted.topic_id, ErrorCode.unknown_topic_id)
    if name in topics:
        return _topic(topics[name], fenced)
    if not legal(name):
        return _missing(name, None, ErrorCode.invalid_topic_exception)
    error = ErrorCode.unknown_topic_or_partition
    if create:  # the client hears of the topic the next time it asks
        count = state.settings.num_partitions
        try:
            config = state.image.check_topic(name, count, 1, {})
        except Refused as refusal:
            error = refusal.code
        else:
            state.image.create_topic(name, config, count)
            state.record("topic", name, "created", count)
    return _missing(name, None, error)


def _missing(name: str | None, topic_id: Any, error: ErrorCode) -> MetadataResponseTopic:
    return MetadataResponseTopic(error_code=error, name=name, topic_id=topic_id, partitions=())


def _topic(topic: Topic, fenced: list[int]) -> MetadataResponseTopic:
    return MetadataResponseTopic(
        error_code=_NONE,
        name=topic.name,
        topic_id=topic.topic_id,
        partitions=tuple(
            _partition(index, partition, fenced) for index, partition in enumerate(topic.partitions)
        ),
    )


def _partition(index: int, partition: Partition, fenced: list[int]) -> MetadataResponsePartition:
    away = partition.leader in fenced
    replicas = (partition.leader,)
    return MetadataResponsePartition(
        error_code=ErrorCode.leader_not_available if away else _NONE,
        partition_index=index,
        leader_id=-1 if away else partition.leader,
        leader_epoch=partition.leader_epoch,
        replica_nodes=replicas,
        isr_nodes=replicas,
        offline_replicas=replicas if away else (),
    )
