"""Both arms at once: Hypothesis draws operations, looks for a difference, and shrinks it."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from tests.conformance.kafka.arms import Arm
from tests.conformance.kafka.operations import DOMAINS, Clients, Operation, arguments
from tests.conformance.kafka.plain import leaves
from tests.conformance.kafka.talk import Talk
from tests.conformance.kafka.wire import as_json, compare

EXAMPLES = 10  # in a turn
STEPS = 30


def search(ours: Arm, real: Arm, turns: Iterable[int]) -> Counter[str]:
    """Let Hypothesis look for a difference, turn by turn; return how much it compared."""
    numbers, compared = count(), Counter[str]()

    class Both(RuleBasedStateMachine):
        """Clients of either arm, who do the same."""

        def __init__(self) -> None:
            super().__init__()
            name = f"together-{next(numbers)}"
            compared["sequences"] += 1
            self.talks = [Talk(arm.port, arm.restart) for arm in (ours, real)]
            self.clients = [Clients(talk, name) for talk in self.talks]

        def carry_out(self, operation: Operation) -> None:
            """Do it on both arms, and compare what they say to it."""
            for clients in self.clients:
                clients.talk.notes.clear()
                clients.carry_out(operation)
            one, other = (as_json(talk.notes) for talk in self.talks)
            compared["operations"] += 1
            compared["fields"] += leaves([note[2] for note in other])
            found = compare(operation.name, one, other)
            assert not found, "\n".join(map(str, found.items()))

        def teardown(self) -> None:
            for talk in self.talks:
                talk.close()

    for name in DOMAINS:
        made: Any = rule  # its arguments have no types
        setattr(Both, name, made(**arguments(name))(_operation(name)))
    for _ in turns:
        run_state_machine_as_test(
            Both,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                derandomize=False,  # other sequences in every run
                print_blob=True,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
            ),
        )
    return compared


def _operation(name: str) -> Callable[..., None]:
    def carry_out(self: Any, **drawn: Any) -> None:
        self.carry_out(Operation(name, drawn))

    carry_out.__name__ = name
    return carry_out
