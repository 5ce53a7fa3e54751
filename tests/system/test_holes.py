"""Holes: each is said when it opens and when it closes, whichever else of its partition is open."""

import io

import msgspec

from system.holes import Verdict
from system.log import Log
from system.numbering import Numbering
from system.records import Numbered


def record(shard: int, n: int) -> Numbered:
    return Numbered(shard=shard, epoch=1, epoch_bits="0123456789abcdef", n=n)


def test_every_hole_is_said_with_whose_it_is_also_beside_another_one() -> None:
    out = io.StringIO()
    log = Log("test", out)
    sequences = Numbering("orders.validated[0]", {}, 1000, shared=True)

    came = [record(1, 1), record(1, 3), record(2, 2), record(1, 4), record(1, 2), record(2, 1)]
    verdicts = [sequences.take(one, at, 0, log) for at, one in enumerate(came)]

    beyond, apply = Verdict.BEYOND, Verdict.APPLY
    assert verdicts == [apply, beyond, beyond, beyond, apply, apply]
    said = [msgspec.json.decode(line) for line in out.getvalue().splitlines()]
    assert [(line["event"], line["offset"], line["shard"]) for line in said] == [
        ("hole", 1, 1),
        ("hole", 2, 2),
        ("hole_closed", 4, 1),
        ("hole_closed", 5, 2),
    ]
    assert [line["missing"] for line in said[:2]] == [2, 1]
