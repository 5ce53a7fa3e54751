"""The log of a partition as `sim.kafka.cluster.log.Log`, with its batches in files.

Leader epochs have no file: they are those of the batches. After a kill has undone a DeleteRecords,
the start of the log has an epoch again; Kafka knows it or not, as its own file was written or not.
"""

from sim.kafka.batch import Batch
from sim.kafka.cluster.configs import TopicConfig
from sim.kafka.cluster.log import Log, Segment
from sim.kafka.cluster.producers import Producers
from sim.tcp.kafka.segments import PartitionDirectory, SegmentFile, StoredBatch


class DiskLog(Log):
    """Appends to files as to memory; `flush` makes it durable."""

    __slots__ = ("_dirty", "directory", "torn")

    def __init__(self, config: TopicConfig, directory: PartitionDirectory) -> None:
        super().__init__(directory.topic_id, config)
        self.directory = directory
        self.torn = 0  # bytes that were cut off when it was opened
        self._dirty: dict[int, SegmentFile] = {}

    def open(self, start: int) -> None:
        """Read what is on disk; records before `start` are deleted ones. `Damaged` if it lies."""
        directory = self.directory
        directory.open()
        files = list(directory.files.values())
        if files:
            self._segments.clear()
            self.start = self.end = files[0].base_offset
        for file in files:
            if file.base_offset != self.end:
                directory.refuse(file, self.end)
            self._segments.append(Segment(file.base_offset))
            size = file.size
            for batch in directory.batches(file):
                self._take(batch)
            self.torn += size - file.size
        self.producers = Producers(self.batches())
        self.start_at(min(start, self.end))
        self.kept = self.start
        self._keep()

    @property
    def moved(self) -> bool:
        """Whether the log starts behind the beginning of its first segment, after a kill too."""
        return self.kept > self._segments[0].base_offset

    def append(self, batch: Batch) -> None:
        """Append a batch that was placed at `end`."""
        segment = self.segment_for(batch)
        file = self._dirty[segment.base_offset] = self.directory.segment(segment.base_offset)
        self._take(StoredBatch(batch, file, file.append(batch.encode())))

    def drop_deleted(self) -> None:
        """Let segments go that end before the start of the log, and their files."""
        before = len(self._segments)
        super().drop_deleted()
        if len(self._segments) < before:
            self._keep()

    def flush(self, *, sync: bool) -> None:
        """Write what was appended; wait for the device if `sync`."""
        dirty, self._dirty = self._dirty, {}
        for file in dirty.values():
            file.flush()
            if sync:
                file.sync()
        if sync:
            self.directory.sync_names()

    def _keep(self) -> None:
        kept = {segment.base_offset for segment in self._segments}
        self.directory.segment(self._segments[-1].base_offset)  # its name says where the log ends
        self.directory.keep(kept)
        self._dirty = {base: file for base, file in self._dirty.items() if base in kept}
