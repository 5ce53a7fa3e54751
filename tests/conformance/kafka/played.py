"""The programs that are played, by name, and the topics that they find."""

from tests.conformance.kafka import programs, troubled
from tests.conformance.kafka.hands import Program

PROGRAMS: dict[str, Program] = {
    name: function
    for module in (programs, troubled)
    for name, function in vars(module).items()
    if getattr(function, "__module__", "") == module.__name__
    and not name.startswith("_")
    and not isinstance(function, type)
}

TOPICS = {"t": 1, "three": 3}
