"""Each kind of fault: entering does harm that can be measured, the receipt says so, leaving heals.

And an injection that finds nothing to harm says that it bit nothing.
"""

import random
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from scenarios import catalog
from scenarios.draws import KINDS
from scenarios.plans import rotten_log, torn_append
from sim.faults import (
    AlterRecord,
    BitRot,
    ClockDrift,
    ClockStep,
    Crash,
    Cut,
    DiskError,
    DiskFull,
    Fault,
    Isolate,
    LoseRecord,
    LoseRequest,
    LoseResponse,
    Lossy,
    Pause,
    PowerLoss,
    Receipt,
    ShrinkIsr,
    SlowDisk,
    SlowLink,
    Throttle,
)
from tests.sim.faults import pond as gauges
from tests.sim.faults.pond import FILE, Pond

Gauge = Callable[[Pond], Any]


@dataclass(frozen=True)
class Case:
    """A fault, what shows its harm, and the values of that: well, harmed, after healing."""

    fault: Fault
    gauge: Gauge
    well: Any
    harmed: Any
    effect: str
    misses: Fault | None = None  # finds nothing; None: the same fault while nobody does anything
    afterwards: Callable[[Pond], None] = lambda _: None  # what others do about it
    healed: Any = ...  # as `well`, unless said here

    @property
    def name(self) -> str:
        return name_of(self.fault)


def name_of(fault: Fault) -> str:
    """Return the kind, without the name of the program or server that it hit."""
    if isinstance(fault, Crash | Pause):
        return f"{type(fault).__name__}({'server' if fault.target in SERVERS else 'program'})"
    if isinstance(fault, LoseRequest | LoseResponse):
        return f"{type(fault).__name__}({fault.message})"
    return type(fault).__name__ if isinstance(fault, PowerLoss) else fault.kind


SERVERS = {"b", *catalog.find("chaos_deposits").deployment.brokers}
SERVERS |= {*catalog.find("chaos_deposits").deployment.nodes}


def _pens_return(pond: Pond) -> None:
    pond.start_pen()


def _lost(kind: str) -> tuple[Case, ...]:
    """A message of `kind` is lost on its way there, or its answer on its way back."""
    ask = gauges.answer(kind)
    other = "Fetch" if kind != "Fetch" else "Produce"
    back = kind if kind == "bytes" else f"{kind}Response"
    return (
        Case(LoseRequest("b*", kind, 1), ask, 1, 0, "requests lost", LoseRequest("b", other)),
        Case(LoseResponse("b*", back, 1), ask, 1, 0, "responses lost", LoseResponse("c", back)),
    )


CASES = (
    Case(Crash("pen"), gauges.strokes, 100, 0, "processes killed", Crash("nobody"), _pens_return),
    Case(Crash("b"), gauges.serving, True, False, "servers killed", Crash("a")),
    Case(Pause("pen"), gauges.strokes, 100, 0, "processes paused", Pause("nobody")),
    Case(Pause("b"), gauges.answer(), 1, 0, "servers paused", Pause("a")),
    Case(PowerLoss("a"), gauges.unsynced, True, None, "hosts without power"),
    Case(Cut("a", "b"), gauges.answer(), 1, 0, "packets held"),
    Case(Cut("b", "a"), gauges.answer(), 1, 0, "packets held"),
    Case(Isolate(("b",)), gauges.answer(), 1, 0, "packets held"),
    Case(SlowLink("b", 1500), gauges.slowest, False, True, "packets delayed"),
    Case(Lossy("b", 40), gauges.slowest, False, True, "segments lost"),
    *_lost("Produce"),
    *_lost("OffsetCommit"),
    *_lost("Fetch"),
    *_lost("bytes"),
    Case(
        LoseRequest("b", "EXECUTE", 2),
        gauges.answer("EXECUTE", times=3),
        3,
        1,
        "requests lost",
    ),
    Case(
        LoseResponse("b", "RESULT", 2),
        gauges.answer("EXECUTE", times=3),
        3,
        1,
        "responses lost",
    ),
    *(
        Case(DiskError("a", door, "EIO"), gauges.file_call(door), well, "errno 5", "calls failed")
        for door, well in (("os.fsync", None), ("os.write", 1), ("os.read", 4), ("os.rename", None))
    ),
    Case(DiskFull("a"), gauges.growing, 4, "errno 28", "calls without space"),
    Case(SlowDisk("a", 3000), gauges.sync_seconds, 0, 3, "slow syncs"),
    Case(ClockStep("a", 120_000), gauges.wall_error, 0, 120, "wrong times read"),
    Case(ClockStep("a", -5000), gauges.wall_error, 0, -5, "wrong times read"),
    Case(ClockDrift("a", 50_000), gauges.gained, 0, 50, "wrong times read"),
    Case(
        ShrinkIsr("t", 2),
        gauges.refusals,
        ["", "", ""],
        ["NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS", ""],
        "batches refused",
        ShrinkIsr("nowhere"),
    ),
    Case(Throttle("kafka-1", 300), gauges.produces_slowly, False, True, "requests throttled"),
    Case(
        LoseRecord("t", 2, 1),
        gauges.read_back,
        [(0, b"0"), (1, b"1"), (2, b"2")],
        [(0, b"0"), (2, b"2")],
        "records emptied",
        LoseRecord("nowhere"),
    ),
    Case(
        LoseRecord("t", 2),
        gauges.read_back,
        [(0, b"0"), (1, b"1"), (2, b"2")],
        [(0, b"0"), (1, b"2")],
        "records closed up",
        LoseRecord("nowhere"),
    ),
    Case(
        AlterRecord("t", 2, 5),
        gauges.read_back,
        [(0, b"0"), (1, b"1"), (2, b"2")],
        [(0, b"0"), (1, b"0"), (2, b"2")],
        "records altered",
        AlterRecord("nowhere"),
    ),
    Case(
        AlterRecord("t", 2, 5, stale=1),
        gauges.read_back,
        [(0, b"0"), (1, b"1"), (2, b"2")],
        [(0, b"0"), (1, b"0"), (2, b"2")],
        "records altered",
        AlterRecord("nowhere", stale=1),
    ),
    Case(
        BitRot("a", FILE, 70, 0),
        gauges.content,
        b"s" * 1000,
        b"s" * 70 + b"r" + b"s" * 929,
        "bits flipped",
        BitRot("a", "/nowhere", 70),
        healed=b"s" * 70 + b"r" + b"s" * 929,  # nothing heals it
    ),
)


@pytest.fixture
def pond() -> Generator[Pond]:
    made = Pond()
    made.pass_time(1)
    yield made
    made.world.close()


@contextmanager
def _entered(fault: Fault, pond: Pond) -> Generator[Receipt]:
    with fault.injected(pond.world) as receipt:
        yield receipt


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_bites_and_heals(case: Case, pond: Pond) -> None:
    assert case.gauge(pond) == case.well

    with _entered(case.fault, pond) as receipt:
        harmed = case.gauge(pond)
    case.afterwards(pond)

    assert harmed == case.harmed
    assert receipt.bites > 0
    assert receipt.effects[case.effect]
    assert receipt.targets == case.fault.targets
    assert case.gauge(pond) == (case.well if case.healed is ... else case.healed)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_fault_that_finds_nothing_says_so(case: Case, pond: Pond) -> None:
    if isinstance(case.fault, PowerLoss):
        pond.world.hosts["a"].lose_power()

    with _entered(case.misses or case.fault, pond) as receipt:
        if case.misses is not None:
            case.gauge(pond)  # life goes on, unharmed

    assert receipt.bites == 0
    assert not {name for name, times in receipt.effects.items() if times}


def test_every_kind_that_a_plan_can_draw_has_its_case() -> None:
    scenario, stream = catalog.find("chaos_deposits"), random.Random(1)
    drawn: set[str] = set()
    for draw in (*KINDS, torn_append, rotten_log):
        for _ in range(200):
            made = draw(stream, scenario)
            steps = made if isinstance(made, tuple) else (made,)
            drawn |= {name_of(step.fault) for step in steps}

    assert drawn - {case.name for case in CASES} == set()
