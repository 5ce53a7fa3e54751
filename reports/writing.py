"""Writing a run down: its evidence and every form of its report in one folder."""

from collections.abc import Mapping
from pathlib import Path

from reports.evidence import Evidence
from reports.folder import EVIDENCE, to_files, write_files
from reports.judge import Judgement, judge
from reports.pages import formats, html, tables, text


def report_files(judgement: Judgement, *, folder: str = "") -> dict[str, bytes]:
    """Return the report in all its forms, by file name."""
    return {
        "report.html": html.page(judgement, folder=folder).encode(),
        "report.txt": text.summary(judgement, folder=folder).encode(),
        "report.json": formats.as_json(judgement),
        "junit.xml": formats.as_junit(judgement),
        **tables.csv_files(judgement),
    }


def write_run(
    folder: str | Path,
    evidence: Evidence,
    judgement: Judgement | None = None,
    *,
    extra: Mapping[str, bytes] | None = None,
) -> Path:
    """Write a run folder, whole or not at all; a `FolderError` says what stood in the way.

    ``extra`` are further files to keep beside the report, e.g. the plan or the trace.
    """
    judged = judge(evidence) if judgement is None else judgement
    files = {f"{EVIDENCE}/{name}": data for name, data in to_files(evidence).items()}
    files |= report_files(judged, folder=str(folder))
    return write_files(folder, {**(extra or {}), **files})
