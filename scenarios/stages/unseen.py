"""What the real stage does not see, taken out of the evidence of a simulated run.

So a simulated run can be judged as the same run with real processes would be: by what is there in
the end, and by the commits that somebody who asks every tenth of a second gets to see.
"""

import msgspec

from reports.evidence import Commit, Evidence

OFFSETS_EVERY_NS = 10**8  # how often the real stage asks what was committed


def as_seen_for_real(evidence: Evidence) -> Evidence:
    """Return the evidence that the real stage would have of this run."""
    change = msgspec.structs.replace
    return change(
        evidence,
        about=change(evidence.about, stage="real"),
        rows=tuple(change(row, durable_ns=None) for row in evidence.rows),
        requests=tuple(change(row, durable_ns=None) for row in evidence.requests),
        outputs=tuple(change(row, durable_ns=None) for row in evidence.outputs),
        commits=tuple(_seen(evidence.commits)),
    )


def _seen(commits: tuple[Commit, ...]) -> list[Commit]:
    """Return the commits that were not overtaken before the next question, as answered then."""
    latest: dict[tuple[str, str, int, int], Commit] = {}
    for commit in commits:
        look = commit.at_ns // OFFSETS_EVERY_NS + 1
        seen = msgspec.structs.replace(commit, at_ns=look * OFFSETS_EVERY_NS)
        latest[commit.group, commit.topic, commit.partition, look] = seen
    return sorted(latest.values(), key=lambda commit: commit.at_ns)
