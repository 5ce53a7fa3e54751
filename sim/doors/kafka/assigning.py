"""`Consumer` behind the door, about partitions: which it has, where it is, where they end."""

from typing import Any

from sim.doors.kafka import arguments, lookups
from sim.doors.kafka.gate import Gate
from sim.doors.kafka.handle import Handle, simulated
from sim.doors.kafka.partition import TopicPartition, listed
from sim.kafka.client import codes
from sim.kafka.client.values import OFFSET_INVALID, OFFSET_STORED, result
from sim.kafka.client.wheel import error_of, fail, text_of
from sim.process import running


class Assigning(Handle):
    """Assignments, positions, and what the cluster knows of partitions."""

    __slots__ = ("_gate", "_rebalanced")

    _gate: Gate
    _rebalanced: bool  # whether a rebalance callback has assigned or given back itself

    def assign(self, partitions: list[Any]) -> None:
        """Take exactly these partitions."""
        core = self._open()
        if not simulated(core):
            core.assign(partitions)
            return
        with self._gate:
            wanted = [(p.topic, p.partition, p.offset) for p in listed(partitions)]
            if len({(topic, index) for topic, index, _ in wanted}) < len(wanted):
                text = text_of(codes.INVALID_ARG)
                fail(codes.INVALID_ARG, f"Failed to set assignment: {text}")
            self._rebalanced = True
            core.assign(wanted)

    def unassign(self) -> None:
        """Give all partitions up."""
        core = self._open()
        if not simulated(core):
            core.unassign()
            return
        with self._gate:
            self._rebalanced = True
            core.unassign()

    def incremental_assign(self, partitions: list[Any]) -> None:
        """Take these partitions too."""
        core = self._open()
        if not simulated(core):
            core.incremental_assign(partitions)
            return
        with self._gate:
            wanted = [(p.topic, p.partition, p.offset) for p in listed(partitions)]
            for topic, index, _ in wanted:
                if (topic, index) in core.assignment:
                    text = f"{topic} [{index}] is already part of the current assignment"
                    fail(codes.CONFLICT, text)
            self._rebalanced = True
            core.incremental_assign(wanted)

    def incremental_unassign(self, partitions: list[Any]) -> None:
        """Give these partitions up."""
        core = self._open()
        if not simulated(core):
            core.incremental_unassign(partitions)
            return
        with self._gate:
            keys = [(p.topic, p.partition) for p in listed(partitions)]
            for topic, index in keys:
                if (topic, index) not in core.assignment:
                    text = "can't be unassigned since it is not in the current assignment"
                    fail(codes.INVALID_ARG, f"{topic} [{index}] {text}")
            self._rebalanced = True
            core.incremental_unassign(keys)

    def assignment(self) -> list[Any]:
        """Return the partitions there are."""
        core = self._open()
        if not simulated(core):
            return core.assignment()  # type: ignore[no-any-return]
        running()
        return [
            TopicPartition(
                tracked.topic,
                tracked.index,
                OFFSET_STORED if tracked.start == OFFSET_INVALID else tracked.start,
            )
            for _, tracked in sorted(core.assignment.items())
        ]

    def seek(self, partition: Any) -> None:
        """Go on at the partition's offset."""
        core = self._open()
        if not simulated(core):
            core.seek(partition)
            return
        with self._gate:
            (found,) = listed([partition])
            key = (found.topic, found.partition)
            if key not in core.assignment:
                code = codes.STATE if key in core.tracked else codes.UNKNOWN_PARTITION
                fail(code, f"Failed to seek to offset {found.offset}: {text_of(code)}")
            core.seek(key, found.offset)

    def pause(self, partitions: list[Any]) -> None:
        """Hand out nothing of these partitions."""
        core = self._open()
        if not simulated(core):
            core.pause(partitions)
            return
        with self._gate:
            core.pause([(p.topic, p.partition) for p in listed(partitions)])

    def resume(self, partitions: list[Any]) -> None:
        """Hand messages of these partitions out again."""
        core = self._open()
        if not simulated(core):
            core.resume(partitions)
            return
        with self._gate:
            core.resume([(p.topic, p.partition) for p in listed(partitions)])

    def position(self, partitions: list[Any]) -> list[Any]:
        """Return for each partition the offset behind the last message handed out."""
        core = self._open()
        if not simulated(core):
            return core.position(partitions)  # type: ignore[no-any-return]
        running()
        found = []
        for partition in listed(partitions):
            tracked = core.tracked.get((partition.topic, partition.partition))
            offset = tracked.position if tracked is not None else OFFSET_INVALID
            unknown = error_of(codes.UNKNOWN_PARTITION) if tracked is None else None
            found.append(result(partition.topic, partition.partition, offset, error=unknown))
        return found

    def committed(self, partitions: list[Any], timeout: float = -1) -> list[Any]:
        """Ask the coordinator for committed offsets."""
        core = self._open()
        if not simulated(core):
            return core.committed(partitions, timeout)  # type: ignore[no-any-return]
        with self._gate:
            return lookups.committed(core, listed(partitions), arguments.seconds(timeout))

    def get_watermark_offsets(
        self, partition: Any, timeout: float = -1, cached: bool = False
    ) -> tuple[int, int]:
        """Return where a partition begins and ends."""
        core = self._open()
        if not simulated(core):
            return core.get_watermark_offsets(partition, timeout, cached)  # type: ignore[no-any-return]
        with self._gate:
            (found,) = listed([partition])
            return lookups.watermarks(core, found, arguments.seconds(timeout), cached=bool(cached))

    def offsets_for_times(self, partitions: list[Any], timeout: float = -1) -> list[Any]:
        """Return the first offsets not before the times that stand in `offset`."""
        core = self._open()
        if not simulated(core):
            return core.offsets_for_times(partitions, timeout)  # type: ignore[no-any-return]
        with self._gate:
            return lookups.for_times(core, listed(partitions), arguments.seconds(timeout))
