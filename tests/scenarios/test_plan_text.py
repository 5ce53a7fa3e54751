import re
from pathlib import Path

import pytest

from scenarios import catalog, plan_checks, plan_text
from scenarios.errors import UsageError
from scenarios.scenario import Plan, Step
from scenarios.token import Token
from sim.faults import (
    Crash,
    DiskError,
    Isolate,
    LoseRecord,
    LoseRequest,
    LoseResponse,
    PowerLoss,
    Throttle,
)
from sim.moments import Moment

TRADING_DAY = catalog.find("trading_day")


@pytest.mark.parametrize("seed", range(20))
def test_a_plan_is_read_as_run_folders_hold_it(seed: int, tmp_path: Path) -> None:
    drawn = catalog.find("chaos_deposits").plan_of(seed)
    (tmp_path / "plan.py").write_text(plan_text.source(drawn))

    assert plan_text.read(str(tmp_path)) == drawn
    assert plan_text.read(str(tmp_path / "plan.py")) == drawn


@pytest.mark.parametrize("name", catalog.names())
def test_every_plan_that_is_drawn_passes_the_checks_and_fits_into_a_token(name: str) -> None:
    scenario = catalog.find(name)
    for seed in range(3):
        plan = scenario.plan_of(seed)

        plan_checks.check(plan, scenario.deployment)

        assert Token.parse(str(Token.of(scenario, seed, plan))).plan == plan


def test_an_empty_plan_is_a_plan() -> None:
    assert plan_text.unpacked(plan_text.packed(())) == ()


@pytest.mark.parametrize(
    "plan", ["", "e", "!!!", "AAAA", plan_text.packed((Step(fault=Crash("a")),))[:-6]]
)
def test_a_plan_that_is_damaged_in_a_token_is_refused(plan: str) -> None:
    with pytest.raises(UsageError, match="at the end of the token"):
        plan_text.unpacked(plan)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Crash(", "is not Python"),
        ("Crush('ubscore-1')", "Crush is unknown; known are"),
        ("'ubscore-1'", "is no fault"),
        ("Crash()", "Crash: "),
        ("Crash(open('x'))", "open is unknown"),
        ("Crash(__import__('os').getcwd())", "is unknown"),
        ("Crash(target)", "target is neither a fault nor a literal"),
        ("Crash(7)", "Crash: target=7 is no str"),
        ("SlowLink('kafka-1', 1.5)", "SlowLink: delay_ms=1.5 is no int"),
        ("SlowLink('kafka-1', True)", "SlowLink: delay_ms=True is no int"),
        ("SlowLink('kafka-1', -5)", "SlowLink: delay_ms=-5: it must be 0 or more"),
        ("Isolate(('kafka-1', 2))", "Isolate: hosts=('kafka-1', 2) is no tuple[str, ...]"),
        ("Isolate(())", "Isolate: hosts=(): name one"),
        ("Redeploy((), 2)", "Redeploy: programs=(): name one"),
        ("Isolate('kafka-1')", "Isolate: hosts='kafka-1' is no tuple[str, ...]"),
        ("Lossy('kafka-1', 101)", "Lossy: percent=101: it must be 0 to 100"),
        ("DiskError('ubscore-1', 'os.write', 'EOOPS')", "DiskError: EOOPS is no errno"),
        ("DiskError('ubscore-1', 'os.write', 'errorcode')", "DiskError: errorcode is no errno"),
        ("DiskError('ubscore-1', 'os.fdatasync', 'EIO')", "DiskError: door='os.fdatasync'"),
        ("Redeploy(('ubscore-1',), 99)", "Redeploy: formats=99: it must be"),
        ("ClockStep('ubscore-1', -10000000000000)", "ClockStep: by_ms=-10000000000000: it must be"),
        ("DiskError('ubscore-1', 'open', 'EIO', 10000000000)", "DiskError: times=10000000000"),
        ("ClockDrift('ubscore-1', -999999)", "ClockDrift: ppm=-999999: it must be -100000 to"),
        ("SlowLink('kafka-1', 1e999)", "SlowLink: delay_ms=inf is no int"),
        ("-" * 3_000 + "1", "is nested too deeply"),
        ("-" * 200_000 + "1", "is nested too deeply"),
        ("+".join("1" * 3_000), "is nested too deeply"),
    ],
)
def test_a_fault_that_is_none_is_refused_and_nothing_is_called(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=re.escape(says)) as refused:
        plan_text.fault(text)

    assert len(str(refused.value)) < 500


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# nothing", "holds no plan"),
        ("plan = ()\nplan = ()", "holds 2 plans"),
        ("plan = ()\nplan += (Step(fault=Crash('a')),)", "line 2: nothing is read here but one"),
        ("import os\n'A plan.'\nx = 1", "line 3: nothing is read here but one"),
        ("plan = (" + "Step(fault=Crash('a'))," * 30_000 + ")", "more than a token can hold"),
        ("plan = 1", "must be a tuple of Step(...)"),
        ("plan = (Step(fault=Crash('ubscore-1')))", "also if it is only one"),
        ("plan = (Crash('ubscore-1'),)", "must be a tuple of Step(...)"),
        ("plan = (Step(fault=Crash('a'), at=1.5),)", "Step: at=1.5 is no int"),
        ("plan = (Step(fault=Crash('a'), at=-1),)", "Step: at=-1: it must be 0 or more"),
        ("plan = (Step(fault='a'),)", "Step: fault='a' is no Fault"),
        ("plan = (Step(fault=Crash('a'), on=Moment('a', 'os.wrote')),)", "Moment: door='os.wrote'"),
        ("plan = (Step(fault=Crash('a'), on=Moment('a', 'open', 0)),)", "Moment: ordinal=0"),
        ("plan = (" + " " * 2**20, "it is longer than"),
    ],
)
def test_a_plan_that_is_none_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "plan.py").write_text(text)

    with pytest.raises(UsageError, match=re.escape(says)):
        plan_text.read(str(tmp_path))


def test_a_place_without_a_plan_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe")

    for path in (tmp_path, tmp_path / "nowhere.py", tmp_path / "binary.py", "x" * 5_000):
        with pytest.raises(UsageError, match="name a run folder"):
            plan_text.read(str(path))


@pytest.mark.parametrize(
    ("step", "says"),
    [
        (Step(fault=Crash("ubscore-9")), "'ubscore-9' is not a program or server of this scenario"),
        (Step(fault=Throttle("gateway-1", 1)), "'gateway-1' is not a broker"),
        (Step(fault=DiskError("kafka-1", "os.write", "EIO")), "'kafka-1' is not a program"),
        (Step(fault=LoseRecord("balance.event")), "'balance.event' is not a topic"),
        (Step(fault=Isolate(("kafka-1", "kafka-9"))), "'kafka-9' is not a host"),
        (Step(fault=PowerLoss("ubscore-*")), "'ubscore-*' is not a program or server"),
        (Step(fault=LoseRecord("*")), "'*' is not a topic"),
        (Step(fault=LoseRequest("kafka-*", "Prodce")), "'Prodce' is no request; there are"),
        (Step(fault=LoseResponse("kafka-*", "Produce")), "'Produce' is no response; there are"),
        (
            Step(fault=Crash("kafka-1"), on=Moment("kafka-1", "os.write")),
            "'kafka-1' is not a program with moments",
        ),
    ],
)
def test_what_names_something_that_is_not_there_is_refused(step: Step, says: str) -> None:
    plan: Plan = (Step(fault=LoseRequest("scylla-*", "bytes")), step)

    with pytest.raises(UsageError, match=re.escape("step 2 of the plan")) as refused:
        plan_checks.check(plan, TRADING_DAY.deployment)

    assert says in str(refused.value)
