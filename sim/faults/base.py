"""What every fault is: a record that can be entered and left, and a receipt of what it did."""

from abc import ABC, abstractmethod
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from sim.world import World


@dataclass(slots=True)
class Receipt:
    """What one injection did. `bites` counts the things it harmed; 0 means that it hit nothing."""

    targets: tuple[str, ...]
    bites: int = 0
    effects: dict[str, int | str] = field(default_factory=dict)
    damage: list[Any] = field(default_factory=list)

    def bite(self, effect: str, amount: int = 1) -> None:
        """Count `amount` of `effect`, e.g. ``packets held``."""
        self.bites += amount
        self.effects[effect] = int(self.effects.get(effect, 0)) + amount

    def say(self, effect: str, text: str) -> None:
        """Add a remark to the effects."""
        self.effects[effect] = text


class Fault(ABC):
    """A kind of harm. Subclasses are frozen dataclasses of strings and integers."""

    __slots__ = ()

    @property
    @abstractmethod
    def targets(self) -> tuple[str, ...]:
        """The hosts, programs or servers it aims at."""

    @abstractmethod
    def injected(self, world: World) -> AbstractContextManager[Receipt]:
        """Inject on entry, heal on exit; never blocks."""

    @property
    def kind(self) -> str:
        """The name under which campaigns count it."""
        return type(self).__name__


@dataclass(frozen=True, slots=True)
class HostFault(Fault):
    """Harm to one host, or to what runs on it."""

    host: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The host."""
        return (self.host,)
