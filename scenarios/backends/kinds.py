"""The kinds of back ends by name; each is imported when it is asked for."""

from pathlib import Path

from scenarios.backends.layout import ANY, Ports
from scenarios.backends.local import LocalBackend
from scenarios.errors import UsageError

LOCAL = ("jvm",)
DEFAULT = "jvm"


def make(kind: str, folder: Path, brokers: int, nodes: int, ports: Ports = ANY) -> LocalBackend:
    """Lay out a back end of a kind that we start ourselves."""
    if kind == "jvm":
        from scenarios.backends.jvm.backend import Jvm  # noqa: PLC0415 - only who asks for it

        return Jvm(folder, brokers, nodes, ports)
    raise UsageError(f"there is no back end of kind {kind!r}; there are {', '.join(LOCAL)}")
