"""Damage for people: what faults tore or lost, byte by byte."""

from reports.amounts import seconds
from reports.journal import Journal
from reports.judge import Judgement

_BYTES_SHOWN = 512


def damages(judgement: Judgement) -> list[dict[str, str]]:
    """Return what faults tore or lost, and what was left of torn frames in the logs."""
    case = judgement.case
    found = [
        {
            "text": f"{d.length} bytes {d.kind} in {d.file} at offset {d.offset},"
            f" {seconds(d.at_ns)} ({'recovery must mend it' if d.decidable else 'a halt is owed'})",
            "dump": hexdump(d.found, d.offset),
        }
        for fault in case.evidence.faults
        for d in fault.damage
    ]
    images = [(image.files, j) for image, j in zip(case.evidence.logs, case.journals, strict=True)]
    restarts = zip(case.evidence.restarts, case.restarted, strict=True)
    images += [(restart.log, j) for restart, j in restarts]
    return found + [_torn(files, journal) for files, journal in images if journal.torn]


def _torn(files: dict[str, bytes], journal: Journal) -> dict[str, str]:
    assert journal.torn is not None
    file, offset, size = journal.torn
    where = f"Shard {journal.shard}: {size} torn bytes at the end of {file}, offset {offset}"
    after = f"{where}, after LSN {journal.last_lsn}; nobody was ever promised what they began."
    return {"text": after, "dump": hexdump(files[file][offset : offset + size], offset)}


def hexdump(data: bytes, offset: int = 0) -> str:
    """Return bytes as lines of offset, hexadecimal and ASCII."""
    lines = []
    for start in range(0, min(len(data), _BYTES_SHOWN), 16):
        part = data[start : start + 16]
        printable = "".join(chr(b) if 32 <= b < 127 else "." for b in part)
        lines.append(f"{offset + start:08x}  {part.hex(' '):<47}  {printable}")
    if len(data) > _BYTES_SHOWN:
        lines.append(f"... and {len(data) - _BYTES_SHOWN} bytes more")
    return "\n".join(lines)
