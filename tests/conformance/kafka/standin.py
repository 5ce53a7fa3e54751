"""The programs with our stand-in for librdkafka, in a simulated world."""

import json
from contextlib import ExitStack
from typing import Any

from sim.kernel import SECOND
from sim.machine import Effect, Send
from tests.conformance.kafka.asked import Watch
from tests.conformance.kafka.played import PROGRAMS, TOPICS
from tests.sim.kafka.client.tank import Tank

_BROKER = "kafka-1"


class _Hands:
    def __init__(self, tank: Tank, stack: ExitStack) -> None:
        self._tank = tank
        self._stack = stack
        self._withheld = False
        broker = tank.cluster.brokers[_BROKER]
        receive = broker.received

        def received(*given: Any) -> list[Effect]:
            return [each for each in receive(*given) if not self._held(each)]

        broker.received = received  # type: ignore[method-assign, assignment]

    def _held(self, effect: Effect) -> bool:
        if not self._withheld or not isinstance(effect, Send):
            return False
        return effect.message.kind == "ProduceResponse"

    def lose_answer(self) -> None:
        self._stack.enter_context(self._tank.losing("ProduceResponse"))

    def withhold_answers(self) -> None:
        self._withheld = True

    def restart(self, after_s: float) -> None:
        self._withheld = False
        self._tank.crash_broker(_BROKER, at=0, lasts=after_s)


def run(name: str) -> dict[str, Any]:
    """Run one program; return what it saw and what the broker was asked."""
    tank = Tank(TOPICS)
    try:
        watch = Watch(tank.cluster.brokers[_BROKER])
        with ExitStack() as stack:
            seen = tank.run(lambda: PROGRAMS[name](tank.conf(), _Hands(tank, stack)), limit=120)
            tank.kernel.run(tank.kernel.now + SECOND)  # what is under way arrives
        found: dict[str, Any] = json.loads(json.dumps({"seen": seen, "asked": watch.asked}))
        return found
    finally:
        tank.world.close()
