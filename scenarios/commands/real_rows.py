"""Rows of ``wavetank controls --stage real``, kept one by one: what is interrupted goes on there.

FOLDER/measured.json              what all rows have in common: versions, servers, how many runs
FOLDER/rows/NAME.json             one control or story, written when it is done
FOLDER/controls.md, .csv, .json   the table of all rows that stand

A folder belongs to one state of the sources: rows of two never stand in one table.
"""

import csv
import io
import platform
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Literal

import msgspec

from scenarios.errors import Infrastructure
from scenarios.token import source_digest

_ROOT = Path(__file__).resolve().parents[2]
_COLUMNS = ("name", "kind", "planted_in", "simulated", "real", "runs", "right", "seconds")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one planted bug or one sound story on both stages.

    `runs` are the runs with real processes: each its seed, and for a bug how many other seeds
    catch it in simulation with this seed's plan. `right`: it broke, held or has no counterpart, as
    it must.
    """

    name: str
    kind: Literal["control", "story"]
    planted_in: str = ""  # of a control: which story
    simulated: str
    real: str
    runs: tuple[str, ...] = ()
    right: bool
    seconds: int = 0


class Measured(msgspec.Struct, frozen=True, kw_only=True):
    """What all rows of a table have in common; `commit` is empty outside a repository."""

    commit: str
    source: str
    python: str
    servers: str
    wished: str
    seeds: int
    attempts: int
    sound: int

    def __str__(self) -> str:
        commit = f"commit {self.commit}, " if self.commit else ""
        return (
            f"{commit}source {self.source}, Python {self.python}, {self.servers}. "
            f"A bug: at most {self.seeds} seeds in simulation and {self.attempts} real runs; "
            f"a sound story: {self.sound} {'seed' if self.sound == 1 else 'seeds'} on both stages."
        )


def measured(servers: str, wished: str, seeds: int, attempts: int, sound: int) -> Measured:
    """Return what rows that are made now have in common."""
    return Measured(
        commit=_commit(),
        source=source_digest(),
        python=platform.python_version(),
        servers=servers,
        wished=wished,
        seeds=seeds,
        attempts=attempts,
        sound=sound,
    )


def _commit() -> str:
    """Return the commit of the sources, marked if they were changed since; empty without git."""
    asked = ("git", "-C", str(_ROOT), "describe", "--always", "--dirty=, changed", "--abbrev=10")
    try:
        found = subprocess.run(asked, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return found.stdout.strip() if found.returncode == 0 else ""


class Rows:
    """The rows that stand in one folder."""

    def __init__(self, runs: str, about: Measured) -> None:
        numbers = f"{about.seeds}-{about.attempts}-{about.sound}"
        servers = about.wished.replace("--kind ", "").replace(" --nodes ", "-").replace(" ", "_")
        self.folder = Path(runs, "controls-real", f"{servers}-{about.source}-{numbers}")
        self.about = about
        with self._writing():
            (self.folder / "rows").mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError, msgspec.DecodeError):  # whoever began knows the commit
                kept = (self.folder / "measured.json").read_bytes()
                self.about = msgspec.json.decode(kept, type=Measured)
            _replace(self.folder / "measured.json", msgspec.json.encode(self.about))

    def find(self, name: str) -> Row | None:
        """Return the row of a control or story that is done."""
        try:
            return msgspec.json.decode(self._path(name).read_bytes(), type=Row)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def keep(self, row: Row) -> None:
        """Keep a row, and write the table anew."""
        with self._writing():
            _replace(self._path(row.name), msgspec.json.encode(row))

    def write(self, names: Sequence[str]) -> Path:
        """Write the table of the rows that stand, in the order of `names`; return its page."""
        rows = [row for name in names if (row := self.find(name)) is not None]
        table = {"measured": self.about, "of": len(names), "rows": rows}
        page = self.folder / "controls.md"
        with self._writing():
            _replace(page, markdown(self.about, rows, len(names)).encode())
            _replace(page.with_suffix(".csv"), _csv(rows).encode())
            _replace(page.with_suffix(".json"), msgspec.json.format(msgspec.json.encode(table)))
        return page

    def _path(self, name: str) -> Path:
        return self.folder / "rows" / f"{name}.json"

    def _writing(self) -> "_Writing":
        return _Writing(self.folder)


class _Writing:
    """Says clearly where nothing can be written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __enter__(self) -> None:
        """Begin to write."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Turn what the system refuses into one clear error."""
        if isinstance(error, OSError):
            raise Infrastructure(
                f"{self._folder}: {error.strerror}; the table belongs there: make it writable, "
                "or name another place with --runs"
            ) from None


def markdown(about: Measured, rows: Sequence[Row], of: int) -> str:
    """Return the table as a person reads it."""
    bugs = [row for row in rows if row.kind == "control"]
    stories = [row for row in rows if row.kind == "story"]
    tested = [row for row in bugs if not row.right or row.runs]
    caught, left = sum(row.right for row in tested), len(bugs) - len(tested)
    lines = [
        f"{about} {caught} of {len(tested)} bugs caught for real, "
        + (f"{left} have no counterpart, " if left else "")
        + f"{sum(row.right for row in stories)} of {len(stories)} stories held."
        + ("" if len(rows) == of else f" Not all yet: {len(rows)} of {of} rows."),
        "",
        "| control | in | in simulation | for real | runs |",
        "|---|---|---|---|---|",
        *(
            f"| `{row.name}` | `{row.planted_in}` | {row.simulated} | {row.real} | "
            f"{len(row.runs) or ''} |"
            for row in bugs
        ),
        "",
        "| sound story | in simulation | for real |",
        "|---|---|---|",
        *(f"| `{row.name}` | {row.simulated} | {row.real} |" for row in stories),
    ]
    return "\n".join(lines) + "\n"


def _csv(rows: Sequence[Row]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in rows:
        values = {**msgspec.structs.asdict(row), "runs": " ".join(row.runs)}
        writer.writerow([values[column] for column in _COLUMNS])
    return text.getvalue()


def _replace(path: Path, content: bytes) -> None:
    new = path.with_name(f"{path.name}.new")
    new.write_bytes(content)
    new.replace(path)
