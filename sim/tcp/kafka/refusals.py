"""What clients hear of requests that the controller was to answer and did not."""

from collections.abc import Callable
from typing import Any

from sim.kafka.entities import (
    AlterConfigsResourceResponse,
    CreatableTopicResult,
    CreatePartitionsRequest,
    CreatePartitionsResponse,
    CreatePartitionsTopicResult,
    CreateTopicsRequest,
    CreateTopicsResponse,
    DeletableTopicResult,
    DeleteTopicsRequest,
    DeleteTopicsResponse,
    ErrorCode,
    IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
)
from sim.kafka.protocol import ZERO

_WHY = "the controller has not answered"


def _create_topics(body: CreateTopicsRequest, error: ErrorCode) -> CreateTopicsResponse:
    results = [
        CreatableTopicResult(name=topic.name, error_code=error, error_message=_WHY)
        for topic in body.topics
    ]
    return CreateTopicsResponse(throttle_time=ZERO, topics=tuple(results))


def _delete_topics(body: DeleteTopicsRequest, error: ErrorCode) -> DeleteTopicsResponse:
    results = [DeletableTopicResult(name=name, error_code=error) for name in body.topic_names]
    return DeleteTopicsResponse(throttle_time=ZERO, responses=tuple(results))


def _create_partitions(body: CreatePartitionsRequest, error: ErrorCode) -> CreatePartitionsResponse:
    results = [
        CreatePartitionsTopicResult(name=topic.name, error_code=error, error_message=_WHY)
        for topic in body.topics
    ]
    return CreatePartitionsResponse(throttle_time=ZERO, results=tuple(results))


def _alter_configs(
    body: IncrementalAlterConfigsRequest, error: ErrorCode
) -> IncrementalAlterConfigsResponse:
    results = [
        AlterConfigsResourceResponse(
            error_code=error,
            error_message=_WHY,
            resource_type=resource.resource_type,
            resource_name=resource.resource_name,
        )
        for resource in body.resources
    ]
    return IncrementalAlterConfigsResponse(throttle_time=ZERO, responses=tuple(results))


BY_REQUEST: dict[type, Callable[[Any, ErrorCode], Any]] = {
    CreateTopicsRequest: _create_topics,
    DeleteTopicsRequest: _delete_topics,
    CreatePartitionsRequest: _create_partitions,
    IncrementalAlterConfigsRequest: _alter_configs,
}
