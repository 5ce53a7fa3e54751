"""`init` of the matching engine: makes the data directory of one instance.

An instance that lost its directory may be given a new one as long as its input is there from the
very first record: everything is computed again and compared with what was published.
"""

from collections.abc import Mapping
from typing import ClassVar

import msgspec

from system.directory import DataDirectory
from system.engine.cluster import Instance, survey
from system.engine.settings import GROUP, Settings
from system.inputs import Inputs
from system.making import Making, demand_beginnings
from system.records import ORDERS


class Init(Making[Instance]):
    """Demands that all inputs begin at 0."""

    Config: ClassVar[type[msgspec.Struct]] = Settings
    group: ClassVar[str] = GROUP

    def __init__(self, settings: Settings) -> None:
        own = settings.engine
        super().__init__(DataDirectory(own.data, Instance), settings.kafka, own.patience)
        self.settings = settings

    def survey(self) -> Instance:
        """Ask Kafka what the directory would belong to."""
        return survey(self.settings)

    def demand(self, inputs: Inputs) -> None:
        """Halt if the beginning of an input is gone."""
        demand_beginnings(inputs, [(ORDERS, number) for number in self.settings.owned])

    def about(self, identity: Instance) -> Mapping[str, int]:
        """Tell the instance."""
        return {"instance": identity.instance}
