"""Whether a load counts: the deployment is reconciled, and each acknowledged request looked for."""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from reports.breaks import Break
from reports.evidence import ProcessEvent
from reports.live.outcome import Outcome
from reports.live.reconciling import reconcile
from reports.live.sources import Bounds
from reports.load import Band
from scenarios.backends.base import Backend
from scenarios.load.samples import Samples
from scenarios.reconciling.deployment import Deployment
from scenarios.reconciling.settings import Settings
from scenarios.stages.real.preparing import connection

_WORDS = 300  # of a program's last ones
_NAMED = 100  # requests that are named; the rest is counted
_ROWS_S, _RECORDS_S = 1_000_000, 10_000_000  # nobody else uses the servers any more


def outcome(
    backend: Backend, group: str, keyspace: str, logs: Iterable[Path], bound_s: float
) -> Outcome:
    """Reconcile what the servers and logs hold now; what is older than `bound_s` is stuck."""
    cql = connection(backend, keyspace)
    raw = {
        "kafka": {"bootstrap": backend.bootstrap, "group": group, **backend.kafka_keys},
        "cql": {
            "contact_points": cql.contact_points,
            "port": cql.port,
            "keyspace": keyspace,
            "datacenter": cql.datacenter,
            **backend.scylla_keys,
        },
        "log": {"directories": tuple(map(str, logs))},
        "limits": {"max_age_s": bound_s, "rate": _ROWS_S, "topic_rate": _RECORDS_S},
    }
    chosen = msgspec.convert(raw, Settings)
    bounds = Bounds(max_age_ms=round(bound_s * 1000))
    with Deployment(chosen) as deployment:
        return reconcile(deployment, bounds)


def endings(events: Iterable[ProcessEvent], bands: Iterable[Band]) -> Iterator[str]:
    """Yield how each program ended of which the faults do not say that they killed it."""
    harm = " ".join(band.effects for band in bands)
    for event in events:
        label = f"{event.process}#{event.incarnation}"
        if event.kind == "crashed" and label not in harm:
            yield f"{label} was killed, by no fault of the plan"
        elif event.kind in {"exited", "halted"}:
            words = ": ".join(filter(None, (event.reason, event.detail)))
            yield f"{label} {event.kind} with code {event.code}: {words[:_WORDS]}"


def missing(samples: Samples) -> list[Break]:
    """Return a break for each request that was acknowledged and has not settled."""
    names = {number: key for key, number in samples.by_key.items()}
    owed = list(samples.owed())
    found = [
        Break(
            invariant="I3",
            code="NOT_DECIDED" if not samples.decided[number] else "NOT_SETTLED",
            where=f"request {names[number]}",
            expected="settled",
            found="no event" if not samples.decided[number] else "no commit beyond its event",
            request_id=names[number],
            at_ns=samples.acknowledged[number],
        )
        for number in owed[:_NAMED]
    ]
    if len(owed) > _NAMED:
        found.append(
            Break(
                invariant="I3",
                code="MORE",
                where=f"{len(owed) - _NAMED} more requests",
                expected="settled",
                found="acknowledged only",
            )
        )
    return found


def on_its_way(found: Outcome) -> int:
    """Return how many effects had not reached the ledger."""
    return sum(flight.count for flight in found.flights)
