"""CQL: the statements of a program's driver, counted where it hands them to a connection."""

from typing import Any

from cassandra import cluster, connection

from sim.doors.subjects import subject_of
from sim.doors.through.watch import Watch

DOORS = frozenset(("cql.execute",))


def install(watch: Watch) -> None:
    """Watch every connection that a driver of this process makes."""
    texts: dict[bytes, str] = {}  # prepared statement -> its text
    send, prepare = connection.Connection.send_msg, cluster.Session.prepare

    def prepared(self: Any, query: str, *args: Any, **named: Any) -> Any:
        statement = prepare(self, query, *args, **named)
        texts[statement.query_id] = query
        return statement

    def sent(self: Any, msg: Any, *args: Any, **named: Any) -> Any:
        if msg.name not in {"EXECUTE", "QUERY"}:
            return send(self, msg, *args, **named)
        text = msg.query if msg.name == "QUERY" else texts.get(msg.query_id, "EXECUTE")
        strike = watch.strike("cql.execute", subject_of(text))
        if strike is None:
            return send(self, msg, *args, **named)
        if strike.part == 0:
            strike.hit()
            return send(self, msg, *args, **named)
        size = send(self, msg, *args, **named)
        strike.hit()
        return size

    cluster.Session.prepare = prepared
    connection.Connection.send_msg = sent
