"""Keyspaces and tables: made, used, emptied, dropped, and what system tables say of them."""

from tests.conformance.cql.steps import REPLICATION, case

_ONE = REPLICATION % 1
_SIMPLE = "{'class': 'SimpleStrategy', 'replication_factor': 1}"

CASES = (
    case(
        "keyspaces",
        f"CREATE KEYSPACE conf_a_x WITH replication = {_ONE}",
        f"CREATE KEYSPACE conf_a_x WITH replication = {_ONE}",
        f"CREATE KEYSPACE IF NOT EXISTS conf_a_x WITH replication = {_ONE}",
        "SELECT keyspace_name, durable_writes, replication FROM system_schema.keyspaces"
        " WHERE keyspace_name = 'conf_a_x'",
        "DROP KEYSPACE conf_a_x",
        "DROP KEYSPACE conf_a_x",
        "DROP KEYSPACE IF EXISTS conf_a_x",
        "SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = 'conf_a_x'",
    ),
    case(
        "replication",
        f"CREATE KEYSPACE conf_simple WITH replication = {_SIMPLE} AND durable_writes = true",
        "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = 'conf_simple'",
        "DROP KEYSPACE conf_simple",
        "CREATE KEYSPACE conf_b WITH replication = {'class': 'NoSuchStrategy'}",
        "CREATE KEYSPACE conf_b WITH replication = {'replication_factor': 1}",
        "CREATE KEYSPACE conf_b WITH replication ="
        " {'class': 'NetworkTopologyStrategy', 'elsewhere': 1}",
        "CREATE KEYSPACE conf_b WITH replication ="
        " {'class': 'SimpleStrategy', 'replication_factor': 'many'}",
        f"CREATE KEYSPACE conf_b WITH replication = {_ONE} AND no_such_option = 1",
        "CREATE KEYSPACE conf_b",
    ),
    case(
        "using_a_keyspace",
        f"CREATE KEYSPACE conf_used WITH replication = {_ONE}",
        "CREATE TABLE here (k int PRIMARY KEY)",
        "USE conf_used",
        "CREATE TABLE here (k int PRIMARY KEY, v text)",
        "INSERT INTO here (k, v) VALUES (1, 'a')",
        "SELECT * FROM here",
        "USE nowhere",
        "SELECT * FROM conf_used.here",
        "DROP TABLE here",
        "SELECT * FROM here",
        "DROP KEYSPACE conf_used",
    ),
    case(
        "tables",
        "CREATE TABLE {t} (k int PRIMARY KEY)",
        "CREATE TABLE {t} (k int PRIMARY KEY)",
        "CREATE TABLE IF NOT EXISTS {t} (other text PRIMARY KEY)",
        "INSERT INTO {t} (k) VALUES (1)",
        "TRUNCATE {t}",
        "SELECT k FROM {t}",
        "INSERT INTO {t} (k) VALUES (2)",
        "TRUNCATE TABLE {t}",
        "SELECT k FROM {t}",
        "DROP TABLE {t}",
        "DROP TABLE {t}",
        "DROP TABLE IF EXISTS {t}",
        "SELECT k FROM {t}",
        "TRUNCATE {t}",
        "CREATE TABLE {t} (k int PRIMARY KEY, v int)",
        "SELECT * FROM {t}",
        "CREATE TABLE no_such_keyspace.t (k int PRIMARY KEY)",
    ),
    case(
        "definitions_refused",
        "CREATE TABLE {t} (k int)",
        "CREATE TABLE {t} (k int PRIMARY KEY, v int PRIMARY KEY)",
        "CREATE TABLE {t} (k int, PRIMARY KEY (nowhere))",
        "CREATE TABLE {t} (k int, v int, PRIMARY KEY (k, k))",
        "CREATE TABLE {t} (k int, k text, PRIMARY KEY (k))",
        "CREATE TABLE {t} (k nonsense PRIMARY KEY)",
        "CREATE TABLE {t} (k int PRIMARY KEY) WITH no_such_option = 1",
        "CREATE TABLE {t} (k int PRIMARY KEY) WITH gc_grace_seconds = -1",
        "CREATE TABLE {t} (k int PRIMARY KEY) WITH gc_grace_seconds = 'long'",
        "CREATE TABLE {t} (k int PRIMARY KEY) WITH bloom_filter_fp_chance = 2",
        "CREATE TABLE {t} (k int PRIMARY KEY) WITH compaction = {'class': 'NoSuchCompaction'}",
        "CREATE TABLE {t} (k int PRIMARY KEY) WITH comment = 'a' AND comment = 'b'",
        "CREATE TABLE {t} (k int, c int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (k DESC)",
        "CREATE TABLE {t} (k int, c int, d int, PRIMARY KEY (k, c, d))"
        " WITH CLUSTERING ORDER BY (d DESC)",
        "CREATE TABLE {t} (k map<int, text> PRIMARY KEY)",
        "CREATE TABLE {t} (k int PRIMARY KEY, v map<int>)",
        "SELECT table_name FROM system_schema.tables"
        " WHERE keyspace_name = 'conformance' AND table_name = 'definitions_refused'",
    ),
    case(
        "what_system_tables_say_of_a_table",
        "SELECT keyspace_name, table_name, comment, gc_grace_seconds, default_time_to_live,"
        " bloom_filter_fp_chance, max_index_interval, min_index_interval,"
        " memtable_flush_period_in_ms, crc_check_chance"
        " FROM system_schema.tables WHERE keyspace_name = 'conformance'"
        " AND table_name = 'what_system_tables_say_of_a_table'",
        "SELECT keyspace_name, table_name, column_name, clustering_order, column_name_bytes,"
        " kind, position, type FROM system_schema.columns WHERE keyspace_name = 'conformance'"
        " AND table_name = 'what_system_tables_say_of_a_table'",
        "SELECT * FROM system_schema.indexes WHERE keyspace_name = 'conformance'",
        "SELECT * FROM system_schema.types WHERE keyspace_name = 'conformance'",
        "SELECT * FROM system_schema.triggers WHERE keyspace_name = 'conformance'",
        "SELECT function_name, argument_types FROM system_schema.functions"
        " WHERE keyspace_name = 'conformance'",
        "SELECT aggregate_name, argument_types FROM system_schema.aggregates"
        " WHERE keyspace_name = 'conformance'",
        "SELECT view_name FROM system_schema.views WHERE keyspace_name = 'conformance'",
        table='(b int, a text, d timeuuid, c bigint, e frozen<list<text>>, "F" decimal,'
        " PRIMARY KEY ((b, a), d, c)) WITH CLUSTERING ORDER BY (d DESC, c ASC)"
        " AND comment = 'said' AND gc_grace_seconds = 60",
    ),
    case(
        "what_a_node_says_of_itself",
        "SELECT key, bootstrapped, data_center, rack, partitioner FROM system.local",
        "SELECT key FROM system.local WHERE key = 'local'",
        "SELECT peer, data_center, rack, release_version, tokens FROM system.peers",
        "SELECT * FROM system.no_such_table",
        "DROP KEYSPACE system",
        "CREATE TABLE system.mine (k int PRIMARY KEY)",
    ),
)
