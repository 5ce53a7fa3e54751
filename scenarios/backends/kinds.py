"""The kinds of back ends that we start, by name; each is imported when it is asked for."""

from pathlib import Path

from scenarios.backends.layout import ANY, Layout, Ports
from scenarios.backends.started import StartedBackend
from scenarios.errors import UsageError

KINDS = ("embedded", "jvm", "compose")
DEFAULT = "embedded"


def make(kind: str, folder: Path, brokers: int, nodes: int, ports: Ports = ANY) -> StartedBackend:
    """Lay out a back end of a kind that we start ourselves."""
    if kind == "embedded":
        from scenarios.backends.embedded.backend import Embedded  # noqa: PLC0415 - only who asks

        return Embedded(folder, brokers, nodes, ports)
    if kind == "jvm":
        from scenarios.backends.jvm.backend import Jvm  # noqa: PLC0415

        return Jvm(folder, brokers, nodes, ports)
    if kind == "compose":
        from scenarios.backends.compose.backend import Compose  # noqa: PLC0415

        return Compose(folder, brokers, nodes, ports)
    raise UsageError(f"there is no back end of kind {kind!r}; there are {', '.join(KINDS)}")


def kept(folder: Path, layout: Layout) -> StartedBackend:
    """Return the back end that is kept in `folder`."""
    return make(layout.kind, folder, len(layout.brokers), len(layout.nodes))
