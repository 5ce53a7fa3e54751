"""What a node answers instead of a result: the native protocol's errors, codes and all.

The codes are those of the native protocol v4 specification, section 9; `fields` are what the
protocol adds to code and message, in the driver's names.
"""

SERVER_ERROR = 0x0000
PROTOCOL_ERROR = 0x000A
UNAVAILABLE = 0x1000
TRUNCATE_ERROR = 0x1003
WRITE_TIMEOUT = 0x1100
READ_TIMEOUT = 0x1200
READ_FAILURE = 0x1300
WRITE_FAILURE = 0x1500
SYNTAX_ERROR = 0x2000
UNAUTHORIZED = 0x2100
INVALID = 0x2200
CONFIGURATION_ERROR = 0x2300
ALREADY_EXISTS = 0x2400
UNPREPARED = 0x2500

Fields = dict[str, int | str | bytes | bool | None]


class CqlError(Exception):
    """An error response: `code`, a message and the fields that belong to the code."""

    code = SERVER_ERROR

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message
        self.fields: Fields = {}


class SyntaxFault(CqlError):
    """The text is no CQL, or none of the CQL that is modelled."""

    code = SYNTAX_ERROR


class Invalid(CqlError):
    """The statement means nothing here, or something that is not modelled."""

    code = INVALID


class Unauthorized(CqlError):
    """Nobody may do that, such as to change the system keyspaces."""

    code = UNAUTHORIZED


class Misconfigured(CqlError):
    """A keyspace or table option is unknown or has a value it cannot have."""

    code = CONFIGURATION_ERROR


class ProtocolFault(CqlError):
    """The message does not belong into the conversation."""

    code = PROTOCOL_ERROR


class AlreadyExists(CqlError):
    """A keyspace or table of that name exists."""

    code = ALREADY_EXISTS

    def __init__(self, keyspace: str, table: str) -> None:
        what = f"table '{keyspace}.{table}'" if table else f"keyspace '{keyspace}'"
        super().__init__(f"Cannot add already existing {what}")
        self.fields = {"keyspace": keyspace, "table": table}


class Unprepared(CqlError):
    """The node does not know the prepared statement; the driver prepares it again."""

    code = UNPREPARED

    def __init__(self, query_id: bytes) -> None:
        super().__init__(f"No prepared statement with ID {query_id.hex()} found.")
        self.fields = {"query_id": query_id}


class Unavailable(CqlError):
    """Too few replicas are known to be up: nothing was sent."""

    code = UNAVAILABLE

    def __init__(self, level: int, name: str, required: int, alive: int) -> None:
        super().__init__(
            f"Cannot achieve consistency level for cl {name}. Requires {required}, alive {alive}"
        )
        self.fields = {
            "consistency": level,
            "required_replicas": required,
            "alive_replicas": alive,
        }


class WriteTimeout(CqlError):
    """Too few replicas answered a write in time; those that got it keep it."""

    code = WRITE_TIMEOUT

    def __init__(
        self,
        where: str,
        level: int,
        name: str,
        received: int,
        required: int,
        write_type: str = "SIMPLE",
    ) -> None:
        super().__init__(
            f"Operation timed out for {where} - received only {received} responses from "
            f"{required} CL={name}."
        )
        self.fields = {
            "consistency": level,
            "received_responses": received,
            "required_responses": required,
            "write_type": write_type,
        }


class WriteFailure(CqlError):
    """Too few replicas can still answer a write: connections to them broke. Others keep it."""

    code = WRITE_FAILURE

    def __init__(
        self,
        where: str,
        level: int,
        name: str,
        received: int,
        required: int,
        failures: int,
        write_type: str = "SIMPLE",
    ) -> None:
        super().__init__(
            f"Operation failed for {where} - received {received} responses and {failures} "
            f"failures from {required} CL={name}."
        )
        self.fields = {
            "consistency": level,
            "received_responses": received,
            "required_responses": required,
            "failures": failures,
            "error_code_map": None,
            "write_type": write_type,
        }


class ReadTimeout(CqlError):
    """Too few replicas answered a read in time."""

    code = READ_TIMEOUT

    def __init__(
        self,
        where: str,
        level: int,
        name: str,
        received: int,
        required: int,
        *,
        data_retrieved: bool,
    ) -> None:
        super().__init__(
            f"Operation timed out for {where} - received only {received} responses from "
            f"{required} CL={name}."
        )
        self.fields = {
            "consistency": level,
            "received_responses": received,
            "required_responses": required,
            "data_retrieved": data_retrieved,
        }
