"""`TopicPartition`, made again: of the real one nobody but the C module can set `error`."""

from typing import Any, NoReturn

from sim.kafka.client.wheel import KafkaError

OFFSET_BEGINNING = -2
OFFSET_END = -1
OFFSET_STORED = -1000
OFFSET_INVALID = -1001
TAIL_BASE = -2000  # OFFSET_TAIL(n) is TAIL_BASE - n

_INT_MAX = 2**31 - 1


class TopicPartition:
    """A topic, a partition of it and an offset there; compares by topic and partition alone."""

    __slots__ = ("_error", "_leader_epoch", "_metadata", "_offset", "_partition", "_topic")

    def __init__(
        self,
        topic: str,
        partition: int = -1,
        offset: int = OFFSET_INVALID,
        metadata: str | None = None,
        leader_epoch: int | None = None,
    ) -> None:
        if type(topic) is not str and not isinstance(topic, str):
            raise TypeError(f"argument 1 must be str, not {type(topic).__name__}")
        if metadata is not None and not isinstance(metadata, str):
            raise TypeError(f"argument 4 must be str, not {type(metadata).__name__}")
        self._topic = topic
        self.partition = partition
        self.offset = offset
        self._metadata = metadata
        epoch = None if leader_epoch is None else _integer(leader_epoch)
        self._leader_epoch = None if epoch is None or epoch < 0 else epoch
        self._error: KafkaError | None = None

    @property
    def topic(self) -> str:
        """The topic's name."""
        return self._topic

    @property
    def metadata(self) -> str | None:
        """What was committed along with the offset."""
        return self._metadata

    @property
    def error(self) -> KafkaError | None:
        """What went wrong with this partition in the call that returned it."""
        return self._error

    @property
    def leader_epoch(self) -> int | None:
        """The leader epoch of the record before `offset`, if known."""
        return self._leader_epoch

    @property
    def partition(self) -> int:
        """The partition's number; -1 is any."""
        return self._partition

    @partition.setter
    def partition(self, value: int) -> None:
        number = _integer(value)
        if not -_INT_MAX - 1 <= number <= _INT_MAX:
            word = "greater than maximum" if number > 0 else "less than minimum"
            raise OverflowError(f"signed integer is {word}")
        self._partition = number

    @property
    def offset(self) -> int:
        """The offset, or one of the OFFSET constants."""
        return self._offset

    @offset.setter
    def offset(self, value: int) -> None:
        self._offset = _integer(value)

    def __eq__(self, other: object) -> bool:
        _same_type(other)
        return (self._topic, self._partition) == (other._topic, other._partition)  # type: ignore[attr-defined]

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __lt__(self, other: "TopicPartition") -> bool:
        _same_type(other)
        return (self._topic, self._partition) < (other._topic, other._partition)

    def __le__(self, other: "TopicPartition") -> bool:
        return not other < self

    def __gt__(self, other: "TopicPartition") -> bool:
        return other < self

    def __ge__(self, other: "TopicPartition") -> bool:
        return not self < other

    def __hash__(self) -> int:
        return hash(self._topic) ^ self._partition

    def __repr__(self) -> str:
        error = None if self._error is None else self._error.str()
        return (
            f"TopicPartition{{topic={self._topic},partition={self._partition},"
            f"offset={self._offset},leader_epoch={self._leader_epoch},error={error}}}"
        )

    __str__ = __repr__

    def __reduce__(self) -> NoReturn:
        raise TypeError("cannot pickle 'cimpl.TopicPartition' object")


def result(
    topic: str,
    partition: int,
    offset: int,
    *,
    metadata: str | None = None,
    epoch: int = -1,
    error: KafkaError | None = None,
) -> TopicPartition:
    """Return a partition as a call answers it."""
    shown = None if metadata is None else metadata.partition("\0")[0]  # it is a string of C
    made = TopicPartition(topic, partition, offset, shown, epoch)
    made._error = error  # noqa: SLF001
    return made


def _integer(value: Any) -> int:
    if type(value) is int:
        return value
    try:
        return value.__index__()  # type: ignore[no-any-return]
    except AttributeError:
        name = type(value).__name__
        raise TypeError(f"'{name}' object cannot be interpreted as an integer") from None


def _same_type(other: object) -> None:
    if not isinstance(other, TopicPartition):
        raise NotImplementedError
