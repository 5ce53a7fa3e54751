"""A broker's directory: whose it is, that one process has it, and its partitions' directories."""

import fcntl
import logging
import os
import shutil
import uuid
from pathlib import Path

from sim.tcp.kafka.journal import replace
from sim.tcp.kafka.segments import PartitionDirectory
from sim.tcp.process import Stop

LOG = logging.getLogger(__name__)

_DELETED, _STRAY = "-delete", "-stray"
_CHECKPOINT = "log-start-offset-checkpoint"
_OWNER = "meta.properties"

Place = tuple[str, int]  # topic, partition


class Directory:
    """Opened and locked; `Stop` if it cannot be or is somebody else's."""

    def __init__(self, path: str) -> None:
        self.path = Path(path).absolute()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
            self._lock = os.open(self.path / ".lock", flags, 0o644)
        except OSError as error:
            raise Stop(f"cannot use the directory {self.path}: {error.strerror}") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self._lock)
            raise Stop(f"the directory {self.path} is in use by another process") from error

    def claim(self, cluster_id: str, node: str) -> None:
        """Write whose directory this is, or compare."""
        path = self.path / _OWNER
        wanted = {"version": "1", "cluster.id": cluster_id, "node.id": node}
        if not path.exists():
            lines = [f"{key}={value}\n" for key, value in wanted.items()]
            replace(path, "".join(lines).encode(), sync=True)
            return
        found = dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)
        for key, value in wanted.items():
            if found.get(key) != value:
                raise Stop(
                    f"the directory {self.path} belongs to {key} {found.get(key)}, this is {value};"
                    " choose another directory"
                )

    def owner(self) -> str | None:
        """Return the cluster id that was claimed, None if there is none yet."""
        path = self.path / _OWNER
        if not path.exists():
            return None
        lines = path.read_text().splitlines()
        return dict(line.split("=", 1) for line in lines if "=" in line).get("cluster.id")

    def partition(self, topic_id: uuid.UUID, place: Place) -> PartitionDirectory:
        """Return the directory of a partition; one of another topic of that name is set aside."""
        path = self.path / _name(place)
        found = PartitionDirectory.topic_id_of(path)
        if path.exists() and found is not None and found != topic_id:
            self._set_aside(path, found, _STRAY)
        return PartitionDirectory(path, topic_id)

    def doom(self, partition: PartitionDirectory) -> Path:
        """Set a partition aside that is about to be deleted; return where it is."""
        partition.close()
        return self._set_aside(partition.path, partition.topic_id, _DELETED)

    def settle(self, places: dict[uuid.UUID, set[Place]]) -> None:
        """Finish deletions, undo those the metadata knows nothing of, set strays aside."""
        known = {(topic_id, _name(place)) for topic_id, each in places.items() for place in each}
        for path in sorted(each for each in self.path.iterdir() if each.is_dir()):
            topic_id = PartitionDirectory.topic_id_of(path)
            if topic_id is None or path.name.endswith(_STRAY):
                continue
            name = path.name.partition(f".{topic_id.hex}{_DELETED}")[0]
            if (topic_id, name) in known:
                if name != path.name:
                    path.rename(self.path / name)
            elif name != path.name:
                remove(path)
            else:
                LOG.warning("%s is of a topic that is no more; set aside", path)
                self._set_aside(path, topic_id, _STRAY)

    def starts(self) -> dict[Place, int]:
        """Return the log starts that were noted."""
        path = self.path / _CHECKPOINT
        if not path.exists():
            return {}
        lines = [line.split() for line in path.read_text().splitlines()[2:]]
        return {(topic, int(partition)): int(start) for topic, partition, start in lines}

    def note_starts(self, starts: dict[Place, int], *, sync: bool) -> None:
        """Note where logs start (Kafka's log-start-offset-checkpoint)."""
        lines = [f"{topic} {partition} {start}\n" for (topic, partition), start in starts.items()]
        content = f"0\n{len(lines)}\n" + "".join(lines)
        replace(self.path / _CHECKPOINT, content.encode(), sync=sync)

    def close(self) -> None:
        """Let another process have it."""
        os.close(self._lock)

    def _set_aside(self, path: Path, topic_id: uuid.UUID, suffix: str) -> Path:
        return path.rename(path.with_name(f"{path.name}.{topic_id.hex}{suffix}"))


def remove(path: Path) -> None:
    """Delete a directory that was set aside."""
    shutil.rmtree(path, ignore_errors=True)


def _name(place: Place) -> str:
    return f"{place[0]}-{place[1]}"
