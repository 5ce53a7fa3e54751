"""What cannot be read when a run is over is no evidence, and nothing is said about the ledger."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from scenarios.errors import Infrastructure
from scenarios.stages.real import gathering
from scenarios.stages.real.town import RealTown


class Topics:
    """Topics of which some partitions have an end that nobody tells."""

    def __init__(self, left: list[str]) -> None:
        self.left, self.closed = left, False

    def read_to_end(self, _: float) -> list[str]:
        return self.left

    def all(self) -> list[Any]:
        return []

    def close(self) -> None:
        self.closed = True


class Tables(Topics):
    """Tables that are empty, or are said to be since nobody answers."""

    def __init__(self, unreadable: list[str]) -> None:
        super().__init__([])
        self.unreadable = unreadable

    def gathered(self) -> dict[str, tuple[Any, ...]]:
        return {"rows": ()}


@pytest.mark.parametrize(
    ("left", "unreadable", "says"),
    [
        ([], ["the tables: nobody answers"], "cannot read the tables: nobody answers"),
        (
            ["balance.events/0: not read to its end", "x"],
            ["y"],
            r"read balance.events/0: .* \(and 2 more\)",
        ),
    ],
)
def test_a_run_whose_topics_or_tables_cannot_be_read_has_no_verdict(
    monkeypatch: pytest.MonkeyPatch, left: list[str], unreadable: list[str], says: str
) -> None:
    topics, tables = Topics(left), Tables(unreadable)
    monkeypatch.setattr(gathering, "Topics", lambda *_: topics)
    monkeypatch.setattr(gathering, "Tables", lambda *_: tables)
    town = SimpleNamespace(backend=None, deployment=SimpleNamespace(partitions=4), keyspace="w")

    with pytest.raises(Infrastructure, match=says):
        gathering._read(cast("RealTown", town))

    assert topics.closed
    assert tables.closed
