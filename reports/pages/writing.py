"""Writing a run down: its evidence and every form of its report, whole or not at all."""

from collections.abc import Mapping
from pathlib import Path

from reports import folder as folders
from reports.judge import Judgement
from reports.orders import lives
from reports.pages import formats, html, orders, tables, text


def write_run(
    folder: str | Path, judgement: Judgement, *, extra: Mapping[str, bytes] | None = None
) -> Path:
    """Put the run folder in place; `extra` files go beside the report. Raises `FolderError`."""
    where = str(folder)
    evidence = folders.to_files(judgement.case.evidence)
    files = {f"{folders.EVIDENCE}/{name}": data for name, data in evidence.items()}
    files["report.txt"] = text.summary(judgement, folder=where).encode()
    files["report.html"] = html.page(judgement, folder=where).encode()
    files["report.json"] = formats.as_json(judgement)
    files["junit.xml"] = formats.as_junit(judgement)
    csv = {
        **tables.csv_files(judgement),
        **orders.csv_files(lives(judgement.case), judgement.statement.trading),
    }
    files.update({f"csv/{name}": data for name, data in csv.items()})
    files.update(extra or {})
    return folders.write_files(folder, files)
