"""Run folders: the evidence of a run on a disk, written whole or not at all, checked when read.

One JSON line per record, one file per kind. The manifest holds a checksum of every line, so a
damaged folder is refused with the file and the line, never half read. Equal evidence gives equal
bytes.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args, get_type_hints
from zlib import crc32

import msgspec

from reports.evidence import About, Evidence

FORMAT = 5  # changes with every change of what is evidence
MANIFEST = "manifest.json"
ABOUT = "about.json"
EVIDENCE = "evidence"
_OTHER = "use the version of Wavetank that wrote it"

_encode = msgspec.json.Encoder(order="sorted").encode


class FolderError(Exception):
    """A run folder that cannot be read or written; the message says what and where."""


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    name: str
    lines: list[int]


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    format: int
    files: list[_File]


def _kinds() -> dict[str, msgspec.json.Decoder[Any]]:
    """Return the decoder of a line of each kind of evidence."""
    hints = get_type_hints(Evidence)
    return {
        name: msgspec.json.Decoder(get_args(hints[name])[0])
        for name in Evidence.__struct_fields__
        if name != "about"
    }


def to_files(evidence: Evidence) -> dict[str, bytes]:
    """Return the files that hold the evidence, manifest included."""
    files = {ABOUT: [_encode(evidence.about)]}
    for name in Evidence.__struct_fields__:
        if name != "about":
            files[f"{name}.jsonl"] = [_encode(record) for record in getattr(evidence, name)]
    entries = [_File(name, [crc32(line) for line in lines]) for name, lines in files.items()]
    contents = {name: b"".join(line + b"\n" for line in lines) for name, lines in files.items()}
    contents[MANIFEST] = _encode(_Manifest(FORMAT, entries)) + b"\n"
    return contents


def load(folder: str | Path) -> Evidence:
    """Read the evidence kept in a run folder, or raise a `FolderError` that names the damage."""
    root = Path(folder) / EVIDENCE
    manifest = _manifest(root)
    found: dict[str, Any] = {}
    kinds = _kinds()
    for entry in manifest.files:
        name = entry.name.partition(".")[0]
        decoder = msgspec.json.Decoder(About) if entry.name == ABOUT else kinds.get(name)
        if decoder is None:
            raise FolderError(f"{root / entry.name}: not a kind of evidence known here; {_OTHER}")
        records = _lines(root / entry.name, entry.lines, decoder)
        found[name] = records[0] if name == "about" else tuple(records)
    missing = [name for name in Evidence.__struct_fields__ if name not in found]
    if missing:
        raise FolderError(
            f"{root / MANIFEST}: line 1: does not list {', '.join(missing)}; {_OTHER}"
        )
    return Evidence(**found)


def _manifest(root: Path) -> _Manifest:
    path = root / MANIFEST
    data = _read(path)
    try:
        manifest = msgspec.json.decode(data, type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise FolderError(f"{path}: line 1: {error}") from None
    if manifest.format != FORMAT:
        raise FolderError(
            f"{path}: line 1: format {manifest.format}, this version reads {FORMAT}; {_OTHER}"
        )
    return manifest


def _lines(path: Path, checksums: list[int], decoder: msgspec.json.Decoder[Any]) -> list[Any]:
    lines = _read(path).split(b"\n")
    if lines.pop() != b"":
        raise FolderError(f"{path}: line {len(lines) + 1}: cut off, the end of the line is missing")
    records = []
    for number, (line, checksum) in enumerate(zip(lines, checksums, strict=False), start=1):
        try:
            record = decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise FolderError(f"{path}: line {number}: {error}") from None
        if crc32(line) != checksum:
            raise FolderError(f"{path}: line {number}: was changed after it was written")
        records.append(record)
    if len(lines) != len(checksums):
        number = min(len(lines), len(checksums)) + 1
        problem = f"{len(lines)} lines, the manifest lists {len(checksums)}"
        raise FolderError(f"{path}: line {number}: {problem}")
    return records


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise FolderError(f"{path} is missing: this is no complete run folder") from None
    except OSError as error:
        raise FolderError(f"{path} cannot be read: {error.strerror}") from error


def write_files(folder: str | Path, files: Mapping[str, bytes]) -> Path:
    """Put a folder with these files in place, whole or not at all.

    An older folder of that name is replaced only when the new one is complete, so a full disk
    costs nothing that was there before.
    """
    target = Path(folder)
    fresh = target.with_name(f".{target.name}.new")
    old = target.with_name(f".{target.name}.old")
    if target.exists() and not (target / EVIDENCE / MANIFEST).exists() and any(target.iterdir()):
        raise FolderError(f"{target} exists and is no run folder: choose another name")
    try:
        _clear(fresh)
        if target.exists():
            _clear(old)
        elif old.exists():
            old.rename(target)  # an earlier writer died between two renames
        for name, data in files.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if target.exists():
            target.rename(old)
        try:
            fresh.rename(target)
        except OSError:
            if old.exists():
                old.rename(target)
            raise
        _clear(old)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        place = error.filename or target
        raise FolderError(
            f"cannot write the run folder {target}: {error.strerror} ({place});"
            " nothing was changed, make room or choose another folder and run again"
        ) from error
    return target


def _clear(path: Path) -> None:
    if path.exists():
        shutil.rmtree(path)
