"""Options of keyspaces and tables: which are known, what they may be, what is not modelled.

An unknown option is refused as Scylla refuses it; one whose effect is not modelled is accepted
only with the value that asks for nothing.
"""

from collections.abc import Callable, Iterable
from typing import Any

from sim.scylla.cql.statements import Constant, Mapping, Term
from sim.scylla.errors import Misconfigured, SyntaxFault

# What Scylla shows for a table made without options.
DEFAULTS: dict[str, Any] = {
    "bloom_filter_fp_chance": 0.01,
    "caching": {"keys": "ALL", "rows_per_partition": "ALL"},
    "comment": "",
    "compaction": {"class": "SizeTieredCompactionStrategy"},
    "compression": {"sstable_compression": "org.apache.cassandra.io.compress.LZ4Compressor"},
    "crc_check_chance": 1.0,
    "dclocal_read_repair_chance": 0.0,
    "default_time_to_live": 0,
    "gc_grace_seconds": 864000,
    "max_index_interval": 2048,
    "memtable_flush_period_in_ms": 0,
    "min_index_interval": 128,
    "read_repair_chance": 0.0,
    "speculative_retry": "99.0PERCENTILE",
}
_COMPACTIONS = frozenset(
    {
        "SizeTieredCompactionStrategy",
        "LeveledCompactionStrategy",
        "TimeWindowCompactionStrategy",
        "IncrementalCompactionStrategy",
    }
)
# Other options of keyspaces, with the only value whose effect is modelled.
_KEYSPACE: dict[str, Any] = {"durable_writes": "true", "tablets": {"enabled": "false"}}


def table_options(properties: Iterable[tuple[str, Term]]) -> dict[str, Any]:
    """Return all options of a new table, or refuse one of `properties`."""
    options = dict(DEFAULTS)
    for name, term in _once(properties):
        check = _TABLE.get(name)
        if check is None:
            raise SyntaxFault(f"Unknown property '{name}'")
        value = check(name, _plain(term))
        if name in options:
            options[name] = value
    return options


def replication(
    properties: Iterable[tuple[str, Term]], datacenters: tuple[str, ...]
) -> tuple[str, dict[str, int]]:
    """Return strategy and factors of a new keyspace, or refuse one of `properties`."""
    found = dict(_once(properties))
    given = found.pop("replication", None)
    for name, term in found.items():
        if name not in _KEYSPACE:
            raise SyntaxFault(f"Unknown property '{name}'")
        if _plain(term) != _KEYSPACE[name]:
            raise Misconfigured(f"not modelled: {name} other than {_KEYSPACE[name]}")
    settings = _plain(given) if given is not None else None
    if not isinstance(settings, dict) or "class" not in settings:
        raise Misconfigured("Missing mandatory replication strategy class")
    strategy = settings.pop("class").rpartition(".")[2]
    factors = {name: _factor(value) for name, value in settings.items()}
    if strategy == "SimpleStrategy":
        if list(factors) != ["replication_factor"]:
            raise Misconfigured("SimpleStrategy requires a replication_factor option, no other")
        return strategy, {"": factors["replication_factor"]}
    if strategy != "NetworkTopologyStrategy":
        raise Misconfigured(f"Unable to find replication strategy class '{strategy}'")
    return strategy, _by_datacenter(factors, datacenters)


def _by_datacenter(factors: dict[str, int], datacenters: tuple[str, ...]) -> dict[str, int]:
    everywhere = factors.pop("replication_factor", None)
    if everywhere is not None:
        factors = dict.fromkeys(datacenters, everywhere) | factors
    for name in factors:
        if name not in datacenters:
            raise Misconfigured(
                f"Unrecognized strategy option {{{name}}} passed to NetworkTopologyStrategy"
            )
    if not factors:
        raise Misconfigured("Configuration for at least one datacenter must be present")
    return factors


def _once(properties: Iterable[tuple[str, Term]]) -> list[tuple[str, Term]]:
    seen: dict[str, Term] = {}
    for name, term in properties:
        if name in seen:
            raise SyntaxFault(f"Multiple definition for property '{name}'")
        seen[name] = term
    return list(seen.items())


def _plain(term: Term) -> Any:
    """Return a literal as text, or as a dictionary of texts."""
    if isinstance(term, Constant):
        return term.text
    if isinstance(term, Mapping):
        pairs = [(_plain(key), _plain(value)) for key, value in term.items]
        return {str(key): str(value) for key, value in pairs}
    raise SyntaxFault(f"Invalid value for property: {term}")


def _factor(text: str) -> int:
    if not text.isdigit():
        raise Misconfigured(f"Replication factor must be numeric; found {text}")
    return int(text)


def _integer(name: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError) as error:
        raise SyntaxFault(f"Invalid integer value {value} for '{name}'") from error
    if number < 0:
        raise Misconfigured(f"Invalid value for {name}: {value}")
    return number


def _fraction(name: str, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise SyntaxFault(f"Invalid double value {value} for '{name}'") from error
    if not 0 <= number <= 1:
        raise Misconfigured(f"{name} must be between 0 and 1, got {value}")
    return number


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str):
        raise Misconfigured(f"{name} must be a string")
    return value


def _map(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Misconfigured(f"{name} must be a map")
    return value


def _compaction(name: str, value: Any) -> dict[str, str]:
    given = _map(name, value)
    strategy = given.get("class", "").rpartition(".")[2]
    if strategy not in _COMPACTIONS:
        raise Misconfigured(f"Unable to find compaction strategy class '{strategy}'")
    return given | {"class": strategy}


def _speculative(name: str, value: Any) -> str:
    text = _text(name, value).upper()
    number = text.removesuffix("PERCENTILE").removesuffix("MS")
    if text not in {"NONE", "ALWAYS"} and (number == text or not _is_number(number)):
        raise Misconfigured(f"Invalid value {value} for option '{name}'")
    return text


def _is_number(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _only(*harmless: Any) -> Callable[[str, Any], Any]:
    """Accept only values that ask for nothing of what is not modelled."""

    def check(name: str, value: Any) -> Any:
        if value not in harmless:
            raise Misconfigured(f"not modelled: table option {name} = {value}")
        return value

    return check


_TABLE: dict[str, Callable[[str, Any], Any]] = {
    "bloom_filter_fp_chance": _fraction,
    "caching": _map,
    "cdc": _only({"enabled": "false"}),
    "comment": _text,
    "compaction": _compaction,
    "compression": _map,
    "crc_check_chance": _fraction,
    "dclocal_read_repair_chance": _fraction,
    "default_time_to_live": lambda name, value: int(_only("0")(name, value)),
    "gc_grace_seconds": _integer,
    "max_index_interval": _integer,
    "memtable_flush_period_in_ms": _integer,
    "min_index_interval": _integer,
    "paxos_grace_seconds": _integer,
    "read_repair_chance": _fraction,
    "speculative_retry": _speculative,
    "tombstone_gc": _map,
}
