"""`init` of UBSCore: makes the data directory of one shard, with an empty log in it."""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from system.directory import DataDirectory
from system.errors import ConfigError
from system.inputs import Inputs
from system.making import Making, demand_beginnings
from system.ubscore import outputs
from system.ubscore.cluster import Shard, survey
from system.ubscore.settings import GROUP, Settings
from system.wal import reader
from system.wal.writer import Shape, Writer


class Init(Making[Shard]):
    """Demands that all inputs begin at 0, and that this shard never published anything."""

    Config: ClassVar[type[msgspec.Struct]] = Settings
    group: ClassVar[str] = GROUP

    def __init__(self, settings: Settings) -> None:
        core = settings.ubscore
        super().__init__(DataDirectory(core.directory, Shard), settings.kafka, core.patience)
        self.settings = settings

    def survey(self) -> Shard:
        """Ask Kafka what the directory would belong to."""
        return survey(self.settings)

    def demand(self, inputs: Inputs) -> None:
        """Halt if the beginning of an input is gone, or anything was published."""
        own = self.settings
        demand_beginnings(inputs, own.inputs)
        outputs.demand_none(inputs, own.ubscore.shard, own.outputs)

    def fill(self, identity: Shard) -> None:
        """Make an empty log; what an interrupted `init` left behind is removed first."""
        shape = Shape(identity.shard, identity.identity, self.settings.ubscore.file_bytes)
        writer = Writer(self.directory.path, shape)
        writer.clean()
        left = reader.read_directory(self.directory.path)
        if left and reader.read(left).frames:
            raise ConfigError(f"{self.directory.path} holds a log without its seal; look at it")
        writer.discard(tuple(left))
        writer.format()

    def about(self, identity: Shard) -> Mapping[str, int]:
        """Tell the shard."""
        return {"shard": identity.shard}
