"""Contact points, endpoints and orderly ends: what the driver asks the operating system for."""

import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Any

from cassandra import cluster
from cassandra import util as driver_util

from sim.process import Process, running

_real_register: Callable[[Any], None] = cluster._register_cluster_shutdown
_real_discard: Callable[[Any], None] = cluster._discard_cluster_shutdown
_real_resolve: Callable[[Any], "OrderedDict[str, Any]"] = (
    driver_util._resolve_contact_points_to_string_map
)


def resolve(contact_points: Iterable[tuple[str, int]]) -> "OrderedDict[str, Any]":
    """Look names up in the simulated network (``_resolve_contact_points_to_string_map``)."""
    process = running()
    if process is None:
        return _real_resolve(contact_points)
    return OrderedDict(
        (f"{name}:{port}", _addresses(process, name, port)) for name, port in contact_points
    )


def _addresses(process: Process, name: str, port: int) -> list[tuple[str, int]] | None:
    network = process.host.network
    try:
        return [(network.hosts[network.resolve(name)].address, port)]
    except OSError:
        return None


def endpoint_hash(endpoint: Any) -> int:
    """Hash an endpoint the same in every interpreter."""
    return zlib.crc32(f"{endpoint.address}:{endpoint.port}".encode())


def register_shutdown(driver_cluster: Any) -> None:
    """Have a cluster shut down at the orderly end of its own process."""
    process = running()
    if process is None:
        _real_register(driver_cluster)
        return
    ends = process.doors.setdefault("cassandra.shutdown", {})
    if not ends:
        process.at_exit.append(lambda: _shut_down(ends))
    ends[id(driver_cluster)] = driver_cluster


def discard_shutdown(driver_cluster: Any) -> None:
    """Forget a cluster that was shut down."""
    process = running()
    if process is None:
        _real_discard(driver_cluster)
    else:
        process.doors.get("cassandra.shutdown", {}).pop(id(driver_cluster), None)


def _shut_down(ends: dict[int, Any]) -> None:
    for driver_cluster in list(ends.values()):
        driver_cluster.shutdown()
