"""K3: the input position is the group's committed offset, and request keys are not checked."""

from confluent_kafka import TopicPartition

from scenarios.controls import planted
from system.marks import Place
from system.records import OPERATIONS
from system.ubscore import UBSCore
from system.ubscore.settings import GROUP
from system.ubscore.state import State
from system.wal.frames import Position


class _NoKeys(State):
    def hashes(self, user_id: int, request_id: str) -> tuple[str, ...]:  # noqa: ARG002
        """Remember nothing of requests."""
        return ()


class AsksTheGroup(UBSCore):
    """Begins where the last commit says, and applies whatever comes."""

    state_type = _NoKeys

    def connect(self) -> None:
        """Ask the group where to begin."""
        super().connect()
        wanted = [TopicPartition(OPERATIONS, p) for p in self.settings.owned]
        found = self.inputs.consumer.committed(wanted, timeout=10.0)
        self.committed = {tp.partition: max(tp.offset, 0) for tp in found}
        assert GROUP

    def positions(self) -> dict[Place, Position]:
        """Return what the group has committed."""
        asked = {
            (OPERATIONS, p): Position(OPERATIONS, p, self.committed[p], -1, 0, 0, 0)
            for p in self.settings.owned
        }
        return {**super().positions(), **asked}

    def fresh(self, topic: str, partition: int, offset: int) -> bool:
        """Take every operation for new."""
        return topic == OPERATIONS or super().fresh(topic, partition, offset)


scenario = planted(__name__, __doc__ or "", "ubscore", "AsksTheGroup", "I4")
