"""The weather on all links: which messages are held, delayed or lost just now.

Faults set it from the stage's thread, proxies ask from theirs.
"""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Passage:
    """A message on its way: which host sends which kind of it to whom, and its bytes."""

    source: str
    target: str
    kind: str
    content: bytes = b""


@dataclass(frozen=True, slots=True)
class Fate:
    """What becomes of a message: later by `delay_ns`, or lost together with its connection.

    With `content` other bytes are passed on in its place.
    """

    delay_ns: int = 0
    lost: bool = False
    content: bytes | None = None


PASSES = Fate()

Rule = Callable[[Passage], Fate]


@dataclass(slots=True)
class Tally:
    """How many messages a cut has held."""

    held: int = 0


class Weather:
    """All rules and cuts in force."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._cuts: list[tuple[Callable[[Passage], bool], Tally]] = []

    @contextmanager
    def rule(self, rule: Rule) -> Generator[None]:
        """Let `rule` judge every message as long as the block lasts."""
        with self._lock:
            self._rules.append(rule)
        try:
            yield
        finally:
            with self._lock:
                self._rules.remove(rule)

    def always(self, rule: Rule) -> None:
        """Let `rule` judge every message from now on."""
        with self._lock:
            self._rules.append(rule)

    @contextmanager
    def cut(self, crosses: Callable[[Passage], bool]) -> Generator[Tally]:
        """Hold every message for which `crosses` as long as the block lasts."""
        cut = (crosses, Tally())
        with self._lock:
            self._cuts.append(cut)
        try:
            yield cut[1]
        finally:
            with self._lock:
                self._cuts.remove(cut)

    def held(self, passage: Passage, *, count: bool = True) -> bool:
        """Whether a cut holds this message now; each message is counted once by its cut."""
        with self._lock:
            for crosses, tally in self._cuts:
                if crosses(passage):
                    tally.held += count
                    return True
        return False

    def fate(self, passage: Passage) -> Fate:
        """Return what becomes of a message that no cut holds."""
        with self._lock:
            delay_ns, content = 0, None
            for rule in self._rules:
                fate = rule(passage)
                if fate.lost:
                    return fate
                delay_ns += fate.delay_ns
                if fate.content is not None:
                    content = fate.content
                    passage = replace(passage, content=content)
        return Fate(delay_ns, content=content) if delay_ns or content is not None else PASSES
