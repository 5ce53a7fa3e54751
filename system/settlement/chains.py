"""The chains of one partition of `engine.outputs`, and their state as the metadata of a commit."""

from collections.abc import Iterable, Mapping

import msgspec

from system.chain import Chain, Link
from system.errors import ConfigError, Halt
from system.numbering import METADATA_BYTES_MAX, read_metadata
from system.records import MAX_AMOUNT, OUTPUTS
from system.topics import key_of, partition_of


class Progress(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of each symbol's chain as of an offset."""

    v: int = 1
    symbols: dict[int, Link]


class Chains(Chain):
    """Judges outputs; their state goes into commits.

    While a symbol has a hole, the others of its partition go on: what a commit says of them may be
    beyond its offset. What is read again there is a duplicate, compared and written once more.
    """

    def metadata(self) -> str:
        """Return the state as commit metadata."""
        text = encode_metadata(self.links)
        if len(text) > METADATA_BYTES_MAX:
            raise Halt(
                "metadata_too_large",
                f"{self.where}: the state of {len(self.links)} symbols needs {len(text)} bytes of "
                f"commit metadata, more than {METADATA_BYTES_MAX}",
            )
        return text


def refuse_too_many(symbol_ids: Iterable[int], partitions: int) -> None:
    """Refuse a configuration whose symbols' state could outgrow the metadata of a commit."""
    longest = Link(MAX_AMOUNT, "f" * 64)
    placed: dict[int, dict[int, Link]] = {}
    for symbol_id in symbol_ids:
        where = partition_of(key_of(symbol_id), partitions)
        placed.setdefault(where, {})[symbol_id] = longest
    for where, symbols in sorted(placed.items()):
        size = len(encode_metadata(symbols))
        if size > METADATA_BYTES_MAX:
            raise ConfigError(
                f"{OUTPUTS}[{where}] has {len(symbols)} symbols, whose state may need {size} bytes "
                f"of commit metadata, more than {METADATA_BYTES_MAX}; give the topic more "
                "partitions (topics.partitions of a new deployment), or trade fewer symbols"
            )


def encode_metadata(links: Mapping[int, Link]) -> str:
    """Return the state as a string for the metadata of an offset commit."""
    return _encode(Progress(symbols=dict(sorted(links.items())))).decode()


def decode_metadata(text: str | None, where: str) -> dict[int, Link]:
    """Read the state out of commit metadata; without it the position means nothing: halt."""
    return read_metadata(_decode, text, where).symbols


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Progress).decode
