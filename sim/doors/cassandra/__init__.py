"""``cassandra``: the real driver, compiled wheel and all, on connections of the simulated network.

Only the transport has a stand-in. Cluster, Session, prepare and bind, execute_async, paging,
retries, timeouts, policies, heartbeats, reconnection and metadata are the driver's own code.

**Faithful**: a request fails or hangs as on a socket: refused, reset, silent; late answers free
their stream; callbacks run in the one reactor thread of the process, so that a callback that
blocks holds up all others; the driver's timers follow the wall clock, as its reactors do; what
its atexit does happens at the orderly end of a process.
**Simplified**: frames stay objects, so values are not encoded into frames and custom protocol
handlers are not called; no TLS, no authentication, no compression, no events but those of nodes.
"""

from sim.doors.cassandra import connection, contacts
from sim.doors.threads import state

# What the driver keeps in sets is hashed by address or with the interpreter's hash seed.
_HASHED_BY_ADDRESS = (
    "cluster.Session",
    "connection.Connection",
    "policies.LoadBalancingPolicy",
    "policies.RetryPolicy",
)


def stand_ins() -> dict[str, object]:
    """Return the names this door replaces."""
    ordinals = {f"cassandra.{name}.__hash__": state.ordinal for name in _HASHED_BY_ADDRESS}
    return {
        "cassandra.cluster.Cluster.connection_class": connection.Choice(),
        "cassandra.cluster._discard_cluster_shutdown": contacts.discard_shutdown,
        "cassandra.cluster._register_cluster_shutdown": contacts.register_shutdown,
        "cassandra.cluster._resolve_contact_points_to_string_map": contacts.resolve,
        "cassandra.connection.DefaultEndPoint.__hash__": contacts.endpoint_hash,
        **ordinals,
    }
