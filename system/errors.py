"""Why a program stops: each class has its exit code, each error a reason code and a sentence."""

from system import exits


class Stop(Exception):
    """A stop of the program's own choice; `reason` is a code for machines."""

    exit_code = exits.FAULT

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return f"{self.reason}: {self.message}"


class ConfigError(Stop):
    """A configuration is refused; the message names key, value and remedy."""

    exit_code = exits.CONFIGURATION

    def __init__(self, message: str) -> None:
        super().__init__("configuration", message)


class Unreachable(Stop):
    """A server that the program cannot do without does not answer."""

    exit_code = exits.UNREACHABLE

    def __init__(self, message: str) -> None:
        super().__init__("unreachable", message)


class Halt(Stop):
    """Going on, or guessing, could lose or mint money: a person must look first.

    Reasons of UBSCore, the matching engine and their `init`:

    - the log: log_missing, log_damaged, log_gap, log_foreign, log_version, log_inconsistent
    - the directory: directory_damaged, wrong_directory, partition_count
    - snapshots: snapshot_damaged, snapshot_version, snapshot_foreign, rules_changed
    - the input: position_lost, position_ahead, input_gap, input_replaced, input_unreadable,
      input_misplaced, input_past, numbering, record_missing, record_damaged, no_append_time
    - the outputs: output_ahead, output_lost, output_gap, output_unreadable, output_past,
      output_differs, output_foreign
    - orders: order_repeated, symbol_changed
    - the engine's outputs, as UBSCore reads them: chain_broken, fill_inconsistent
    """

    exit_code = exits.HALT


class LogError(Stop):
    """The write-ahead log could not be written, synced or read; nothing is known to be durable."""

    exit_code = exits.LOG_IO

    def __init__(self, message: str) -> None:
        super().__init__("log_io", message)


class Locked(Stop):
    """Another process holds the data directory."""

    exit_code = exits.LOCKED

    def __init__(self, message: str) -> None:
        super().__init__("locked", message)
