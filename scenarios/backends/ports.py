"""Free ports, outside the range from which the machine takes ports for outgoing connections.

A server that is killed must find its port again: a port of that range may by then belong to the
very client that tries to reach the dead server.
"""

import os
import socket
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path

from scenarios.backends.base import Address
from scenarios.errors import Infrastructure

_LOWEST = 10_000
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")


def free(count: int, hosts: Sequence[str] = ("127.0.0.1",)) -> tuple[int, ...]:
    """Return distinct ports, each free on all of `hosts`."""
    with ExitStack() as held:
        found = tuple(islice((p for p in _candidates() if _hold(p, hosts, held)), count))
    if len(found) < count:
        raise Infrastructure(f"fewer than {count} ports are free on {', '.join(hosts)}")
    return found


def check(addresses: Iterable[Address]) -> None:
    """Raise `Infrastructure` if somebody listens at one of the addresses."""
    for address in addresses:
        with ExitStack() as held:
            if not _hold(address.port, (address.host,), held):
                raise Infrastructure(
                    f"port {address.port} of {address.host} is taken; stop who listens there"
                    f" (`ss -ltnp sport = :{address.port}` names it) or choose another port"
                )


def _candidates() -> Iterable[int]:
    low = int(_RANGE.read_text(encoding="ascii").split()[0]) if _RANGE.exists() else 32_768
    high = max(low, _LOWEST + 1000)
    start = _LOWEST + int.from_bytes(os.urandom(4), "big") % (high - _LOWEST)
    return chain(range(start, high), range(_LOWEST, start))


def _hold(port: int, hosts: Sequence[str], held: ExitStack) -> bool:
    """Bind the port on all hosts until `held` ends; False if one of them is taken."""
    for host in hosts:
        server = held.enter_context(socket.socket())
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host, port))
        except OSError:
            return False
    return True
