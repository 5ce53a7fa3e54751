"""Sequences of requests, each a function of a talk and of the name that its topics begin with."""

from collections.abc import Callable
from types import ModuleType

from tests.conformance.kafka.sequences import (
    admin,
    commits,
    groups,
    produce,
    reading,
    restarts,
)
from tests.conformance.kafka.talk import Talk

Sequence = Callable[[Talk, str], None]


def _of(module: ModuleType) -> dict[str, Sequence]:
    topic = module.__name__.rpartition(".")[2]
    return {
        f"{topic}.{name}": function
        for name, function in vars(module).items()
        if getattr(function, "__module__", "") == module.__name__
        and callable(function)
        and not name.startswith("_")
    }


SEQUENCES: dict[str, Sequence] = {
    name: function
    for module in (produce, reading, groups, commits, admin, restarts)
    for name, function in _of(module).items()
}


def topic_of(name: str) -> str:
    """Return what the topics and groups of a sequence are called.

    >>> topic_of("produce.every_acks")
    'produce-every-acks'
    """
    return name.replace(".", "-").replace("_", "-")
