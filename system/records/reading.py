"""Reading records back; one of a newer format version is told apart from a damaged one."""

from typing import Any, Generic, TypeVar

import msgspec

from system.records.fields import FORMAT_VERSION

T = TypeVar("T")


class NewerVersion(msgspec.ValidationError):
    """A record of a format version that this program does not know: it must stop here."""


class _Versioned(msgspec.Struct):
    v: int


class Reader(Generic[T]):
    """Decodes the records of one topic.

    Raises `msgspec.DecodeError` for what cannot be read, as its subclass `NewerVersion` if a newer
    program wrote it, and `UnicodeDecodeError` for what is not UTF-8.
    """

    def __init__(self, records: Any) -> None:
        self._decode = msgspec.json.Decoder(records).decode

    def __call__(self, data: bytes, newest: int = FORMAT_VERSION) -> T:
        """Return the record in `data`; one of a version above `newest` is refused."""
        try:
            record: T = self._decode(data)
        except msgspec.ValidationError:
            _refuse_newer(_version_in(data), newest)
            raise
        if record.v > newest:  # type: ignore[attr-defined]
            _refuse_newer(record.v, newest)  # type: ignore[attr-defined]
        return record


_decode_version = msgspec.json.Decoder(_Versioned).decode


def _version_in(data: bytes) -> int:
    """Return the version that a record says it has; 0 if that is what is wrong with it."""
    try:
        return _decode_version(data).v
    except msgspec.ValidationError:
        return 0


def _refuse_newer(version: int, newest: int) -> None:
    if version > FORMAT_VERSION:
        raise NewerVersion(
            f"the record has format version {version}, this program reads 1 to {FORMAT_VERSION};"
            " run the version that wrote it"
        )
    if version > newest:
        raise NewerVersion(
            f"the record has format version {version}, this deployment has agreed on {newest};"
            " set formats.version, readers first"
        )
