"""What a client has read at QUORUM it never finds undone, whatever crashes in between."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.scylla.reads import Read, Reads
from sim.scylla.storage import NOTHING, merged
from sim.scylla.wire import Rows, Void
from tests.sim.scylla.harness import QUORUM, Client, Sandbox, decoded

NODES = ("n1", "n2", "n3")
GET = "SELECT a FROM k.plain WHERE id = 'x'"

kinds = ("write", "lonely write", "read", "read", "read", "crash", "power loss", "restart", "wait")
steps = st.lists(
    st.tuples(st.sampled_from(kinds), st.sampled_from(NODES)), min_size=10, max_size=30
)


class Story:
    """Clients that write 1, 2, 3 ... and read, while nodes crash and are cut off."""

    def __init__(self) -> None:
        self.sandbox = Sandbox()
        self.sandbox.run(3)
        self.written = self.floor = 0

    def step(self, kind: str, node: str) -> None:
        sandbox = self.sandbox
        if kind == "wait":
            sandbox.run(4)
        elif kind == "restart":
            for name in sorted(sandbox.down):
                sandbox.restart(name)
        elif node in sandbox.down:
            return
        elif kind in {"crash", "power loss"}:
            sandbox.crash(node, power_loss=kind == "power loss")
        elif kind == "read":
            self.read(node)
        else:
            if kind == "lonely write":
                for other in NODES:
                    sandbox.cut |= {(node, other), (other, node)}
            self.write(node)
            sandbox.cut.clear()

    def write(self, node: str) -> None:
        self.written += 1
        text = (
            f"INSERT INTO k.plain (id, a) VALUES ('x', '{self.written:04}') "
            f"USING TIMESTAMP {self.written}"
        )
        if isinstance(Client(self.sandbox, node).ask(text, QUORUM), Void):
            self.floor = self.written

    def read(self, node: str) -> None:
        answer = Client(self.sandbox, node).ask(GET, QUORUM, seconds=0.1)
        if isinstance(answer, Rows):
            rows = decoded(answer)
            value = int(rows[0][0]) if rows else 0
            assert value >= self.floor
            self.floor = value


def tell(plan: list[tuple[str, str]]) -> None:
    story = Story()
    for kind, node in plan:
        story.step(kind, node)


@settings(max_examples=120, deadline=None)
@given(steps)
def test_quorum_reads_never_go_back(plan: Any) -> None:
    tell(plan)


def test_without_read_repair_they_would(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(self: Reads, read: Read) -> None:
        assert read.full is not None
        key = read.fetch.key
        assert key is not None
        answers = [dict(found).get(key, NOTHING) for found in read.full.values()]
        whole = merged(read.fetch.table, key, answers).everything()
        self._finish(read, ((key, whole),))

    monkeypatch.setattr(Reads, "_reconcile", forgetful)

    with pytest.raises(AssertionError):
        tell([("write", "n1"), ("lonely write", "n1"), *[("read", node) for node in NODES * 3]])
