"""What programs may ask of the socket behind a transport or a server: its addresses."""

import itertools
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.connection import Listener

Address = tuple[str, int]

_EPHEMERAL = 32768  # the first port that Linux gives to who asks for none


class Socket:
    """A TCP socket that has addresses and options and nothing else."""

    family = socket.AF_INET
    type = socket.SOCK_STREAM
    proto = socket.IPPROTO_TCP

    def __init__(self, local: Address, remote: Address | None = None) -> None:
        self._local = local
        self._remote = remote
        self.listener: Listener | None = None
        self.listening = False

    def getsockname(self) -> Address:
        """Return the address of this side."""
        return self._local

    def getpeername(self) -> Address:
        """Return the address of the other side."""
        if self._remote is None:
            raise OSError(107, "Transport endpoint is not connected")
        return self._remote

    def fileno(self) -> int:
        """Return -1, as a closed socket does: there is no descriptor."""
        return -1

    def setsockopt(self, *_: object) -> None:
        """Take any option: none that TCP has makes a difference here."""

    def getsockopt(self, *_: object) -> int:
        """Return that all is well."""
        return 0

    def listen(self, backlog: int = 100) -> None:
        """Do nothing yet: the event loop listens when it starts to serve."""

    def setblocking(self, flag: bool) -> None:
        """Do nothing: nobody reads from this socket directly."""

    def close(self) -> None:
        """Stop listening."""
        if self.listener is not None:
            self.listener.close()
            self.listener = None

    def __repr__(self) -> str:
        return f"<simulated socket laddr={self._local} raddr={self._remote}>"


class Ports:
    """Gives local ports to those that ask for none in particular."""

    def __init__(self) -> None:
        self._next = itertools.count(_EPHEMERAL)

    def take(self) -> int:
        """Return the next free port."""
        return _EPHEMERAL + next(self._next) % _EPHEMERAL
