"""Ports that nobody listens on."""

import socket
from contextlib import closing


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
