"""Where logs begin and end is asked of all partitions at once, and again where a leader lags."""

from typing import NamedTuple

import pytest
from confluent_kafka import OFFSET_BEGINNING, KafkaError, KafkaException, TopicPartition

from system import marks
from system.config import Kafka
from system.errors import Unreachable

KAFKA = Kafka(bootstrap="k:1")
PLACES = [("t", 0), ("t", 1), ("u", 0)]


class Found(NamedTuple):
    topic: str
    partition: int
    offset: int
    error: KafkaError | None


class Asked:
    """Stands for a Consumer: logs begin at 3 and end at 10, `lag` answers later."""

    def __init__(self, lag: int = 0) -> None:
        self.lag = lag
        self.questions: list[list[tuple[str, int]]] = []
        self.error: KafkaError | None = None
        self.refuse = False

    def offsets_for_times(self, asked: list[TopicPartition], timeout: float) -> list[Found]:
        if self.refuse:
            raise KafkaException(KafkaError(KafkaError._TIMED_OUT))
        self.questions.append([(one.topic, one.partition) for one in asked])
        late = len(self.questions) // 2 < self.lag
        found = []
        for one in asked:
            end = 5 if late and one.topic == "u" else 10
            offset = 3 if one.offset == OFFSET_BEGINNING else end
            found.append(Found(one.topic, one.partition, offset, self.error))
        return found


def test_two_questions_are_enough_for_any_number_of_partitions() -> None:
    asked = Asked()
    assert marks.watermarks(asked, KAFKA, PLACES) == dict.fromkeys(PLACES, (3, 10))
    assert asked.questions == [PLACES, PLACES]
    assert marks.watermarks(asked, KAFKA, []) == {}
    assert len(asked.questions) == 2


def reach(asked: Asked, patience_s: float) -> marks.Marks:
    wanted = dict.fromkeys(PLACES, 8)
    return marks.reaching(asked, KAFKA, wanted, patience_s=patience_s, pause_s=0)


def test_only_the_leader_that_lags_is_asked_again() -> None:
    asked = Asked(lag=3)
    assert reach(asked, 60)["u", 0] == (3, 10)
    assert asked.questions[2:] == [[("u", 0)]] * 4


def test_a_leader_that_goes_on_lagging_is_taken_at_its_word() -> None:
    asked = Asked(lag=10**9)
    assert reach(asked, 0.001) == {("t", 0): (3, 10), ("t", 1): (3, 10), ("u", 0): (3, 5)}


def test_no_answer_names_kafka_and_the_partitions() -> None:
    asked = Asked()
    asked.error = KafkaError(KafkaError.NOT_LEADER_FOR_PARTITION)
    with pytest.raises(Unreachable, match=r"k:1: t\[0\]: .*leader"):
        marks.watermarks(asked, KAFKA, PLACES)
    asked.refuse = True
    with pytest.raises(Unreachable, match=r"k:1: t\[0\], t\[1\], u\[0\]: .*imed out"):
        marks.watermarks(asked, KAFKA, PLACES)
