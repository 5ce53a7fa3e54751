"""The list of metrics as a page of Markdown."""

from reports.observability import catalogue
from system.instruments import Described

_HEAD = """\
# Metrics

What the programs tell Prometheus, made by `make observability` from what they say themselves.
The gateway serves `/metrics` at its own port, the others where `[metrics] port` is set; what a
program that halted says stands in the file `[metrics] textfile`, what a reconciliation found in
that of `wavetank reconcile --prom`. Amounts are raw units, times seconds, sizes bytes.
"""


def text() -> str:
    """Return the page."""
    parts = [_HEAD]
    for source, metrics in catalogue.described().items():
        parts.append(f"\n## {source}\n")
        parts.append("| metric | kind | labels | meaning |\n|---|---|---|---|")
        parts += [_row(one) for one in metrics]
    return "\n".join(parts) + "\n"


def _row(one: Described) -> str:
    labels = ", ".join(f"`{label}`" for label in one.labels)
    return f"| `{one.name}` | {one.kind} | {labels} | {one.meaning} |"
