"""The audit at start: what stands in the output partitions must be what the input gives.

Everything from the snapshot's output offsets to the end is read; then the input is applied again
and each output compared. From the first one that is missing, per symbol, all are sent, present
ones too: a consumer drops what it has, and discards what comes too early.
"""

import hashlib
from collections.abc import Mapping

import msgspec
from confluent_kafka import Message

from system.engine.matching import RULES, Emitted
from system.engine.state import State
from system.errors import Halt
from system.inputs import Inputs
from system.messages import misplaced, partition, where
from system.records import FORMAT_VERSION, OUTPUTS, EngineOutput, decode_output
from system.topics import key_of


class Audit:
    """Outputs that stand in Kafka and are still to be recomputed."""

    def __init__(self, newest: int = FORMAT_VERSION) -> None:
        self.newest = newest  # the newest format version that may be read
        self.due: dict[int, int] = {}  # per input partition: the offset before which all must be
        self._ends: dict[int, int] = {}
        self._found: dict[tuple[int, int], tuple[bytes, str]] = {}
        self._missing: set[int] = set()  # symbols of which an output was not there

    def read(self, inputs: Inputs, state: State, partitions: int) -> None:
        """Read what stands in the output partitions beyond the snapshot."""
        starts = {}
        marks = inputs.reaching({(OUTPUTS, number): n for number, n in state.delivered.items()})
        for number, after in state.delivered.items():
            low, high = marks[OUTPUTS, number]
            if after > high:
                raise Halt(
                    "output_lost",
                    f"{OUTPUTS}[{number}] ends at {high}, but {after - 1} was acknowledged",
                )
            starts[number], self._ends[number] = max(low, after), high
        for message in inputs.scan(OUTPUTS, starts, self._ends):
            self._note(message, state, partitions)
        if self._found and state.rules != RULES:
            raise Halt(
                "rules_changed",
                f"the snapshot is of rules {state.rules}, this program has {RULES}, and"
                f" {len(self._found)} outputs follow; stop the old version gracefully first",
            )

    def _note(self, message: Message, state: State, partitions: int) -> None:
        output = _decode(message, partitions, self.newest)
        market = state.markets.get(output.symbol_id)
        place, seq, digest = where(message), output.output_seq, _digest(message.value() or b"")
        if market is not None and seq <= market.output_seq:
            if seq == market.output_seq and output.hash != market.hash:
                raise _differs(place, output)
            return
        known = self._found.setdefault((output.symbol_id, seq), (digest, place))
        if known[0] != digest:
            raise _differs(f"{place} and {known[1]}", output)
        source = output.source
        if source.partition not in state.positions:
            raise Halt("output_foreign", f"{place} answers partition {source.partition}, not ours")
        self.due[source.partition] = max(self.due.get(source.partition, 0), source.offset + 1)

    def settled(self, emitted: Emitted) -> bool:
        """Compare a recomputed output; say whether it stands and nothing before it is missing."""
        output = emitted.output
        found = self._found.pop((output.symbol_id, output.output_seq), None)
        if found is None:
            self._missing.add(output.symbol_id)
        elif found[0] != _digest(emitted.value):
            raise _differs(found[1], output)
        return output.symbol_id not in self._missing

    def open(self, next_offsets: Mapping[int, int]) -> bool:
        """Say whether input that must be applied for the comparison is still outstanding."""
        return any(next_offsets[number] < due for number, due in self.due.items())

    def close(self) -> dict[int, int]:
        """Return the offsets before which every output is accounted for.

        Halts if an output was never recomputed: its input is not what it was.
        """
        for (symbol_id, seq), (_, place) in sorted(self._found.items()):
            raise Halt(
                "output_ahead",
                f"{place} is output {seq} of symbol {symbol_id}, which the input does not give",
            )
        return self._ends


def _decode(message: Message, partitions: int, newest: int) -> EngineOutput:
    try:
        output = decode_output(message.value() or b"", newest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Halt("output_unreadable", f"{where(message)}: {error}") from None
    wrong = misplaced(message, key_of(output.symbol_id), partitions)
    if wrong is not None or output.source.partition != partition(message):
        raise Halt("output_foreign", f"{where(message)}: {wrong or 'answers another partition'}")
    return output


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _differs(place: str, output: EngineOutput) -> Halt:
    return Halt(
        "output_differs",
        f"{place}: output {output.output_seq} of symbol {output.symbol_id} is not what the input"
        " gives; the input, the snapshot or the program is not what it was",
    )
