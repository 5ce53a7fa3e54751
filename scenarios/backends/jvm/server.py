"""What both servers of the jvm back end have in common: jars, and flags of their Java process."""

from collections.abc import Sequence
from pathlib import Path

from scenarios.backends.base import Address, Role
from scenarios.backends.jvm.jars import Jars
from scenarios.backends.processes import ProcessServer
from scenarios.errors import UsageError


class JvmServer(ProcessServer):
    """A server in a Java process of its own."""

    def __init__(self, name: str, role: Role, address: Address, folder: Path) -> None:
        super().__init__(name, role, address, folder)
        self.flags: Sequence[str] = ()
        self._jars: Jars | None = None

    @property
    def jars(self) -> Jars:
        """The classes it runs, known once its back end is up."""
        if self._jars is None:
            raise UsageError(f"{self.name} was never started: start its back end first")
        return self._jars

    @jars.setter
    def jars(self, jars: Jars) -> None:
        self._jars = jars
