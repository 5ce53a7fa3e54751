"""Damage for people: what faults tore or lost, byte by byte."""

from dataclasses import dataclass

from reports.amounts import seconds
from reports.evidence import Damage
from reports.journal import Journal
from reports.judge import Judgement

_BYTES_SHOWN = 512


@dataclass(frozen=True, slots=True)
class Shown:
    """One place that was harmed: a sentence, and dumps with what each shows."""

    text: str
    dumps: tuple[tuple[str, str], ...]


def damages(judgement: Judgement) -> list[Shown]:
    """Return what faults tore or lost, and what was left of torn frames in the logs."""
    case = judgement.case
    found = [_harmed(d) for fault in case.evidence.faults for d in fault.damage if d.length]
    images = [(image.files, j) for image, j in zip(case.evidence.logs, case.journals, strict=True)]
    restarts = zip(case.evidence.restarts, case.restarted, strict=True)
    images += [(restart.log, j) for restart, j in restarts]
    return found + [_torn(files, journal) for files, journal in images if journal.torn]


def _harmed(damage: Damage) -> Shown:
    owed = "recovery must mend it" if damage.decidable else "a halt is owed"
    text = (
        f"{damage.length} {_bytes(damage.length)} {damage.kind} in {damage.file}"
        f" at offset {damage.offset}, {seconds(damage.at_ns)} ({owed})"
    )
    dumps = []
    if damage.before:
        start = damage.offset - len(damage.before)
        dumps.append(("stands before it", hexdump(damage.before, start)))
    if damage.expected:
        dumps.append(("should stand there", hexdump(damage.expected, damage.offset)))
    if damage.found:
        dumps.append(("stands there", hexdump(damage.found, damage.offset)))
    elif damage.expected:
        dumps.append(("stands there", "nothing: it was never written"))
    return Shown(text, tuple(dumps))


def _bytes(number: int) -> str:
    return "byte" if number == 1 else "bytes"


def _torn(files: dict[str, bytes], journal: Journal) -> Shown:
    assert journal.torn is not None
    file, offset, size = journal.torn
    where = f"Shard {journal.shard}: {size} torn bytes at the end of {file}, offset {offset}"
    after = f"{where}, after LSN {journal.last_lsn}; nobody was ever promised what they began."
    return Shown(after, (("stands there", hexdump(files[file][offset : offset + size], offset)),))


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
