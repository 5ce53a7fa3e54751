"""``sometimes`` goals: situations that a campaign must have reached, or it has not tested them.

Each is recognised in what a run left behind; none changes the run.
"""

from collections import Counter
from collections.abc import Callable

import msgspec

from reports.evidence import Evidence
from scenarios import goals_trading
from system.records import EVENTS

Goal = Callable[[Evidence, dict[str, int]], bool]


def reached(evidence: Evidence, kinds: dict[str, int]) -> tuple[str, ...]:
    """Return the names of the goals that this run reached."""
    return tuple(name for name, goal in GOALS.items() if goal(evidence, kinds))


class _Line(msgspec.Struct):
    event: str = ""
    frames: int = 0
    republish: int = 0


_decode = msgspec.json.Decoder(_Line).decode


def _settled_ns(evidence: Evidence) -> int:
    """Return when the run had settled; the recoveries after that are the harness's own."""
    quiescent = evidence.about.quiescent_ns
    return evidence.about.ended_ns if quiescent is None else quiescent


def _logged(evidence: Evidence, event: str, program: str = "ubscore") -> list[_Line]:
    mark = f'"event":"{event}"'
    return [
        _decode(line.text.encode())
        for line in evidence.lines
        if line.process.startswith(program)
        and mark in line.text
        and line.at_ns <= _settled_ns(evidence)
    ]


def _torn(evidence: Evidence, _: dict[str, int]) -> bool:
    return bool(_logged(evidence, "torn_tail"))


def _unpublished(evidence: Evidence, _: dict[str, int]) -> bool:
    return any(line.republish for line in _logged(evidence, "recovered")[1:])


def _recovered(evidence: Evidence, _: dict[str, int]) -> bool:
    return any(line.frames > 3 for line in _logged(evidence, "recovered"))


def _published_twice(evidence: Evidence, _: dict[str, int]) -> bool:
    # Later copies come from the recoveries that the harness makes itself.
    until_ms = (evidence.about.epoch_ns + _settled_ns(evidence)) // 1_000_000
    values = Counter(
        record.value
        for record in evidence.records
        if record.topic == EVENTS and record.timestamp_ms <= until_ms
    )
    return any(count > 1 for count in values.values())


def _answered_again(evidence: Evidence, _: dict[str, int]) -> bool:
    return any(
        sum(200 <= attempt.status < 300 for attempt in op.attempts) > 1
        for op in evidence.operations
    )


def _rejected(evidence: Evidence, _: dict[str, int]) -> bool:
    return any(row.decision == "rejected" for row in evidence.requests)


def _resent(evidence: Evidence, _: dict[str, int]) -> bool:
    return bool(_logged(evidence, "resent"))


def _kind(*names: str) -> Goal:
    def seen(_: Evidence, kinds: dict[str, int]) -> bool:
        return any(name in kinds for name in names)

    return seen


def _rebalanced(evidence: Evidence, _: dict[str, int]) -> bool:
    return len(_logged(evidence, "assigned", "settlement")) > 1


def _restored(program: str) -> Goal:
    return lambda evidence, _: goals_trading.restored(program, evidence)


GOALS: dict[str, Goal] = {
    "torn log tail": _torn,
    "crash between fsync and publish": _unpublished,
    "event published twice": _published_twice,
    "retry answered again": _answered_again,
    "withdrawal rejected": _rejected,
    "read repair": _kind("Repair"),
    "group rebalanced": _rebalanced,
    "delivery failed and sent again": _resent,
    "hint replayed": _kind("Hint"),
    "log recovered": _recovered,
    "partial fill": goals_trading.partial_fill,
    "self-trade prevented": goals_trading.self_trade,
    "cancel lost the race": goals_trading.cancel_too_late,
    "cancel took the rest": goals_trading.cancel_in_time,
    "IOC rest cancelled": goals_trading.ioc_rest,
    "price improvement released": goals_trading.improved,
    "output published twice": goals_trading.output_twice,
    "order rejected": goals_trading.order_rejected,
    "late retry expired": goals_trading.expired,
    "refused under overload": goals_trading.overloaded,
    "output gone, offset empty": goals_trading.halted("settlement", "input_gap"),
    "output gone, offset taken": goals_trading.halted("settlement", "record_missing"),
    "output altered": goals_trading.halted("settlement", "chain_broken"),
    "output unreadable": goals_trading.halted("settlement", "undecodable"),
    "order refused before the upgrade": goals_trading.refused_format,
    "newer record refused": goals_trading.halted("", "input_unreadable", "undecodable"),
    "newer log or snapshot refused": goals_trading.halted(
        "ubscore", "log_version", "snapshot_version"
    ),
    "engine restored from a snapshot": _restored("engine"),
    "UBSCore restored from a snapshot": _restored("ubscore"),
}
