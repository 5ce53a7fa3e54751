"""The columns of the system tables that drivers read: Scylla's, and Cassandra's for ports."""

from collections.abc import Iterator

from sim.scylla.cql.types import named
from sim.scylla.table import Column, Table

_NODE = """data_center text, rack text, host_id uuid, release_version text, rpc_address inet,
    schema_version uuid, tokens set<text>"""
_OPTIONS = """bloom_filter_fp_chance double, caching map<text,text>, comment text,
    compaction map<text,text>, compression map<text,text>, crc_check_chance double,
    dclocal_read_repair_chance double, default_time_to_live int,
    extensions map<text,blob>, gc_grace_seconds int, id uuid,
    max_index_interval int, memtable_flush_period_in_ms int, min_index_interval int,
    read_repair_chance double, speculative_retry text, flags set<text>"""

# (keyspace, table) -> columns, how many of the first are partition key and clustering key
_TABLES: dict[tuple[str, str], tuple[str, int, int]] = {
    ("system", "local"): (
        f"""key text, {_NODE}, bootstrapped text, broadcast_address inet, cluster_name text,
        cql_version text, listen_address inet, native_protocol_version text, partitioner text""",
        1,
        0,
    ),
    ("system", "peers"): (f"peer inet, {_NODE}, preferred_ip inet", 1, 0),
    ("system_schema", "keyspaces"): (
        "keyspace_name text, durable_writes boolean, replication map<text,text>",
        1,
        0,
    ),
    ("system_schema", "tables"): (f"keyspace_name text, table_name text, {_OPTIONS}", 1, 1),
    ("system_schema", "columns"): (
        """keyspace_name text, table_name text, column_name text, clustering_order text,
        column_name_bytes blob, kind text, position int, type text""",
        1,
        2,
    ),
    ("system_schema", "types"): (
        "keyspace_name text, type_name text, field_names list<text>, field_types list<text>",
        1,
        1,
    ),
    ("system_schema", "functions"): (
        """keyspace_name text, function_name text, argument_types list<text>,
        argument_names list<text>, body text, called_on_null_input boolean, language text,
        return_type text""",
        1,
        1,
    ),
    ("system_schema", "aggregates"): (
        """keyspace_name text, aggregate_name text, argument_types list<text>, final_func text,
        initcond text, return_type text, state_func text, state_type text""",
        1,
        1,
    ),
    ("system_schema", "triggers"): (
        "keyspace_name text, table_name text, trigger_name text, options map<text,text>",
        1,
        2,
    ),
    ("system_schema", "indexes"): (
        """keyspace_name text, table_name text, index_name text, kind text,
        options map<text,text>""",
        1,
        2,
    ),
    ("system_schema", "views"): (
        f"""keyspace_name text, view_name text, base_table_id uuid, base_table_name text,
        include_all_columns boolean, where_clause text, {_OPTIONS}""",
        1,
        1,
    ),
}


def _columns(text: str, partition: int, clustering: int) -> Iterator[Column]:
    depth = 0
    plain = ""
    for character in " ".join(text.split()):
        depth += (character == "<") - (character == ">")
        plain += "|" if character == "," and not depth else character
    for position, part in enumerate(plain.split("|")):
        name, kind = part.split(maxsplit=1)
        type_ = named(kind)
        if position < partition:
            yield Column(name, type_, "partition_key", position)
        elif position < partition + clustering:
            yield Column(name, type_, "clustering", position - partition)
        else:
            yield Column(name, type_, "regular", -1)


_PORTS: dict[tuple[str, str], tuple[str, int, int]] = {
    ("system", "local"): (
        f"{_TABLES['system', 'local'][0]}, broadcast_port int, listen_port int, rpc_port int",
        1,
        0,
    ),
    ("system", "peers_v2"): (
        f"""peer inet, peer_port int, {_NODE.replace("rpc_address", "native_address")},
        native_port int, preferred_ip inet, preferred_port int""",
        1,
        1,
    ),
}


def _tables(specs: dict[tuple[str, str], tuple[str, int, int]]) -> dict[tuple[str, str], Table]:
    return {
        key: Table(*key, list(_columns(*spec)), {}, "/".join(key).encode())
        for key, spec in specs.items()
    }


TABLES = _tables(_TABLES)
WITH_PORTS = TABLES | _tables(_PORTS)
