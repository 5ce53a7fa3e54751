"""Between the driver's message objects and the frames of `sim.scylla.wire`."""

from collections.abc import Callable
from typing import Any

from cassandra import WriteType, protocol
from cassandra.protocol import ColumnMetadata, ResultMessage

from sim.scylla.cql.binding import UNSET, Parameters
from sim.scylla.wire import (
    Batch,
    Body,
    Event,
    Failure,
    Prepared,
    Request,
    Rows,
    SchemaChanged,
    SetKeyspace,
    Supported,
)

_V4 = 4
_BATCHES = ("LOGGED", "UNLOGGED", "COUNTER")
_not_set = protocol._UNSET_VALUE


def request_of(message: Any, stream: int, version: int) -> Request:
    """Return the frame for a message of the driver's."""
    kind = message.name
    request = Request(kind, stream, version=version)
    if kind == "EXECUTE":
        request.query_id = message.query_id
        request.parameters = _parameters(message.query_params)
    elif kind in {"QUERY", "PREPARE"}:
        request.text = message.query
    elif kind == "REGISTER":
        request.events = tuple(message.event_list)
    if kind in {"EXECUTE", "QUERY"}:
        request.level = message.consistency_level
        request.serial_level = message.serial_consistency_level
        request.page_size = message.fetch_size
        request.paging_state = message.paging_state
        request.timestamp = message.timestamp
    elif kind == "BATCH":
        parts = [(what, _parameters(values)) for _, what, values in message.queries]
        request.batch = Batch(_BATCHES[message.batch_type.value], tuple(parts))
        request.level = message.consistency_level
        request.serial_level = message.serial_consistency_level
        request.timestamp = message.timestamp
    return request


def _parameters(values: Any) -> Parameters:
    return tuple([UNSET if value is _not_set else value for value in values])


def message_of(body: Body) -> Any:
    """Return the driver's message for the body of a response."""
    return _MESSAGES[type(body).__name__](body)


def _rows(body: Rows) -> Any:
    message = ResultMessage(protocol.RESULT_KIND_ROWS)
    if body.decoded is not None:
        names, kinds, rows = body.decoded
    else:
        names = [output.name for output in body.outputs]
        kinds = [output.type.driver for output in body.outputs]
        decode = [kind.from_binary for kind in kinds]
        rows = [
            tuple([turn(value, _V4) for turn, value in zip(decode, row, strict=True)])
            for row in body.rows
        ]
        if body.shared:
            body.decoded = names, kinds, rows
    message.column_names = names
    message.column_types = kinds
    message.parsed_rows = rows
    message.paging_state = body.paging_state
    return message


def _prepared(body: Prepared) -> Any:
    message = ResultMessage(protocol.RESULT_KIND_PREPARED)
    if body.decoded is None:
        body.decoded = (
            [ColumnMetadata(*bound[:3], bound.type.driver) for bound in body.bound],
            [(*output[:3], output.type.driver) for output in body.outputs] or None,
        )
    message.query_id = body.query_id
    message.result_metadata_id = None
    message.bind_metadata, message.column_metadata = body.decoded
    message.pk_indexes = list(body.routing)
    return message


def _set_keyspace(body: SetKeyspace) -> Any:
    message = ResultMessage(protocol.RESULT_KIND_SET_KEYSPACE)
    message.new_keyspace = body.keyspace
    return message


def _schema_changed(body: SchemaChanged) -> Any:
    message = ResultMessage(protocol.RESULT_KIND_SCHEMA_CHANGE)
    change = body.change
    message.schema_change_event = {
        "change_type": change.what,
        "target_type": change.target,
        "keyspace": change.keyspace,
    }
    if change.table:
        message.schema_change_event["table"] = change.table
    return message


def _event(body: Event) -> Any:
    fields: dict[str, Any] = dict(body.fields)
    if "address" in fields:
        host, _, port = fields["address"].rpartition(":")
        fields["address"] = host, int(port)
    return protocol.EventMessage(event_type=body.what, event_args=fields)


def _failure(body: Failure) -> Any:
    info: Any = dict(body.fields) or None
    if body.fields.get("write_type") is not None:
        info["write_type"] = WriteType.name_to_value[str(body.fields["write_type"])]
    if "query_id" in body.fields:
        info = body.fields["query_id"]
    kind = protocol.error_classes.get(body.code, protocol.ErrorMessage)
    return kind(code=body.code, message=body.message, info=info)


def _supported(body: Supported) -> Any:
    options = {name: list(values) for name, values in body.options}
    return protocol.SupportedMessage(options.pop("CQL_VERSION"), options)


_MESSAGES: dict[str, Callable[[Any], Any]] = {
    "Event": _event,
    "Failure": _failure,
    "Prepared": _prepared,
    "Ready": lambda _: protocol.ReadyMessage(),
    "Rows": _rows,
    "SchemaChanged": _schema_changed,
    "SetKeyspace": _set_keyspace,
    "Supported": _supported,
    "Void": lambda _: ResultMessage(protocol.RESULT_KIND_VOID),
}
