import dataclasses

import pytest

from sim.kafka.batch import Batch
from sim.kafka.entities import (
    ErrorCode,
    MetadataResponse,
    PartitionProduceData,
    ProduceRequest,
    TopicProduceData,
)
from sim.kafka.protocol import (
    APIS,
    ZERO,
    Request,
    Response,
    duration,
    milliseconds,
    moment,
    moment_ms,
)


def produce(value: bytes = b"v", **changes: object) -> Request:
    data = PartitionProduceData(index=0, records=(Batch(((None, value, (), 5),)),))
    body = ProduceRequest(
        acks=-1,
        timeout=duration(30_000),
        topic_data=(TopicProduceData(name="t", partition_data=(data,)),),
    )
    return Request(1, "c", dataclasses.replace(body, **changes))


def test_every_part_of_a_message_is_in_its_fingerprint() -> None:
    messages = [
        produce(),
        produce(b"w"),
        produce(acks=1),
        produce(timeout=duration(1)),
        produce(topic_data=()),
        Request(2, "c", produce().body),
        Request(1, "d", produce().body),
    ]

    assert len({message.fingerprint() for message in messages}) == len(messages)
    assert produce().fingerprint() == produce().fingerprint()


def test_messages_are_called_after_their_api() -> None:
    answer = MetadataResponse(throttle_time=ZERO, brokers=(), cluster_id="x", topics=())

    assert (produce().kind, Response(1, answer).kind) == ("Produce", "MetadataResponse")
    assert {api.name: api.version for api in APIS.values()}["JoinGroup"] == 5


def test_what_the_digest_could_not_see_cannot_be_sent() -> None:
    with pytest.raises(ValueError, match="unmarshallable object"):
        produce(acks=object()).fingerprint()


def test_times_of_the_entities_are_milliseconds() -> None:
    assert milliseconds(duration(86_400_123)) == 86_400_123
    assert moment_ms(moment(1_700_000_000_123)) == 1_700_000_000_123
    assert (moment(-1), moment_ms(None)) == (None, -1)
    assert ErrorCode.none == 0
