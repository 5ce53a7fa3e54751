"""The database's tables as statements, read from ``schema.cql``."""

from pathlib import Path

KEYSPACE = "wavetank"
REPLICATION = 3
SOURCE = Path(__file__).with_name("schema.cql")


def statements(text: str) -> tuple[str, ...]:
    """Split CQL into statements; comments are lines of their own.

    >>> statements("-- why\\nCREATE TABLE a (b int);\\n\\nCREATE TABLE c (d int);")
    ('CREATE TABLE a (b int)', 'CREATE TABLE c (d int)')
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("--"))
    return tuple(part.strip() for part in "\n".join(lines).split(";") if part.strip())


def load(keyspace: str = KEYSPACE, replication: int = REPLICATION) -> tuple[str, ...]:
    """Return the statements that create the keyspace and its tables, in order."""
    text = SOURCE.read_text(encoding="utf-8").replace(KEYSPACE, keyspace)
    factor = "'replication_factor': {}"
    return statements(text.replace(factor.format(REPLICATION), factor.format(replication)))
