"""Where our nodes answer otherwise than Apache Cassandra, each with the reason.

They model ScyllaDB, so where the two databases differ it is Scylla that counts; what is not
modelled is refused. Everything that is not listed here must be the same; a listed difference that
is none (any more) fails the tests as well.
"""

from typing import NamedTuple

_SCYLLA_READ_LEVEL = "Scylla takes EACH_QUORUM for writes only (Cassandra 4.1 still did, too)"
_REFUSED = "not modelled; it stands under Simplified in sim/scylla/cql/parser.py"
_LOGGED = "not modelled; it stands under Simplified in sim/scylla/cql/batches.py"


class Place(NamedTuple):
    """A step of a case, by a part of its statement and level as `Step.shown` has them."""

    case: str
    part: str


EXCEPTIONS: dict[Place, str] = {
    Place("timestamps_at_the_edges", "'far'"): "Scylla refuses timestamps 3 days ahead",
    Place("consistency_levels", "WHERE k = 1 [EACH_QUORUM]"): _SCYLLA_READ_LEVEL,
    Place("token_ranges", "token(k) > 0 AND k = 1"): (
        "Scylla does not take both kinds of conditions on the partition key"
    ),
    Place("a_logged_batch_of_several_partitions", "BEGIN"): _LOGGED,
    Place("a_logged_batch_of_several_partitions", "LOGGED ["): _LOGGED,
    Place("not_modelled_here", "USING TTL"): _REFUSED,
    Place("not_modelled_here", "IF NOT EXISTS"): _REFUSED,
    Place("not_modelled_here", "ALLOW FILTERING"): _REFUSED,
    Place("not_modelled_here", "DISTINCT"): _REFUSED,
}


def reason(case: str, shown: str) -> str | None:
    """Return why the step shown as `shown` may differ; None if it may not."""
    for place, why in EXCEPTIONS.items():
        if place.case == case and place.part in shown:
            return why
    return None
