"""What a broker's state machine has, kept in its directory: the `persist` of its shell."""

import logging
from pathlib import Path

from sim.kafka.cluster.broker import Broker
from sim.kafka.cluster.image import Topic
from sim.kafka.cluster.log import Log
from sim.machine import Record
from sim.tcp.kafka.directory import Directory, Place, remove
from sim.tcp.kafka.disklog import DiskLog
from sim.tcp.kafka.groups import GroupJournal
from sim.tcp.kafka.journal import Journal
from sim.tcp.kafka.segments import Damaged

LOG = logging.getLogger(__name__)

_GROUPS = "groups.journal"


class Store:
    """The durable half of one broker."""

    def __init__(self, directory: Directory, broker: Broker, *, sync: bool) -> None:
        self._directory = directory
        self._state = broker.state
        self._sync = sync
        self._groups = GroupJournal(Journal(directory.path / _GROUPS), broker.state.groups)
        self._starts: dict[Place, int] = {}
        self._doomed: list[Path] = []
        broker.state.new_log = self._open_log
        broker.state.image.on_deletion.append(self._topic_deleted)

    def open(self) -> None:
        """Read everything that the metadata says is here; damaged partitions are not led."""
        state, image = self._state, self._state.image
        self._directory.settle(
            {
                topic.topic_id: {(topic.name, index) for index in range(len(topic.partitions))}
                for topic in image.topics.values()
            }
        )
        self._starts = self._directory.starts()
        self._groups.open()
        for topic in image.topics.values():
            for index, partition in enumerate(topic.partitions):
                if partition.leader == state.broker_id:
                    self._open_or_refuse(topic, index)

    def persist(self, records: list[Record]) -> None:
        """Make the state changes durable."""
        moved = False
        for record in records:
            kind = record.kind
            if kind == "append":
                topic, partition = str(record.fields[0]), record.fields[1]
                log = self._state.logs.get((topic, int(partition or 0)))
                if isinstance(log, DiskLog):
                    log.flush(sync=self._sync)
            elif kind == "log-starts":
                moved = True
            else:
                self._groups.add(record)
        self._groups.flush(sync=self._sync)
        if moved:
            self._note_starts()

    def bury(self) -> None:
        """Delete the files of deleted topics, once the metadata without them is durable."""
        doomed, self._doomed = self._doomed, []
        for path in doomed:
            remove(path)

    def close(self) -> None:
        """Give all files back."""
        for log in self._state.logs.values():
            log.kept = log.start
        self._note_starts()
        for log in self._state.logs.values():
            if isinstance(log, DiskLog):
                log.flush(sync=self._sync)
                log.directory.close()
        self._groups.close()

    def _open_log(self, topic: Topic, partition: int) -> Log:
        place = topic.name, partition
        log = DiskLog(topic.config, self._directory.partition(topic.topic_id, place))
        log.open(self._starts.get(place, 0))
        if log.torn:
            path = log.directory.path
            LOG.warning("%s: cut off %d bytes of a torn last batch", path, log.torn)
        return log

    def _open_or_refuse(self, topic: Topic, partition: int) -> None:
        place = topic.name, partition
        try:
            self._state.logs[place] = self._open_log(topic, partition)
        except Damaged as error:
            self._state.damaged[place] = str(error)
            LOG.error("%s-%d is not served: %s", *place, error)  # noqa: TRY400

    def _topic_deleted(self, name: str) -> None:
        logs = self._state.logs
        for place in [place for place in logs if place[0] == name]:
            log = logs.pop(place)
            self._starts.pop(place, None)
            if isinstance(log, DiskLog):
                self._doomed.append(self._directory.doom(log.directory))
        damaged = self._state.damaged
        for place in [place for place in damaged if place[0] == name]:
            del damaged[place]

    def _note_starts(self) -> None:
        starts = dict(self._starts)
        for place, log in self._state.logs.items():
            if isinstance(log, DiskLog) and log.moved:
                starts[place] = log.kept
        if starts != self._starts:
            self._directory.note_starts(starts, sync=self._sync)
        self._starts = starts
