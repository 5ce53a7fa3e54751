"""What was decided against what was configured: how old a key may be, and what a trade costs."""

from collections.abc import Iterator

from reports.breaks import Break
from reports.case import Case
from reports.journal import Decision
from system.records import OPERATIONS, ValidatedOrder


def horizon_kept(case: Case) -> Iterator[Break]:
    """Yield frames whose time or horizon is not what their record and the one before make it.

    A partition's time is the highest stamp of its records so far, less where a broker's clock
    leads by too much; keys are forgotten by `horizon_ms` before it, neither earlier nor later.
    """
    stamps = {
        (record.partition, record.offset): record.timestamp_ms
        for record in case.evidence.records
        if record.topic == OPERATIONS
    }
    for journal in case.journals if case.about.horizon_ms else ():
        before: dict[int, tuple[int, int]] = {}
        for step in journal.decisions:
            frame = step.frame
            partition = frame.input.partition
            time_ms, forget_ms = before.get(partition, (0, 0))
            latest = max(time_ms, stamps.get((partition, frame.input.offset), frame.time_ms))
            if not time_ms <= frame.time_ms <= latest:
                yield _untrue("TIME_UNTRUE", step, f"{time_ms} to {latest}", str(frame.time_ms))
            due = max(forget_ms, frame.time_ms - case.about.horizon_ms)
            if frame.forget_ms != due:
                code = "FORGOTTEN_EARLY" if frame.forget_ms > due else "FORGOTTEN_LATE"
                promised = f"keys forgotten that were made before {due}"
                yield _untrue(code, step, promised, str(frame.forget_ms))
            before[partition] = frame.time_ms, frame.forget_ms


def fees_kept(case: Case) -> Iterator[Break]:
    """Yield the orders that were let through with other fees than those configured."""
    if case.about.fees_ppm is None:
        return
    for step in case.decisions:
        for validated in step.validated:
            if isinstance(validated, ValidatedOrder):
                stamped = validated.maker_ppm, validated.taker_ppm
                if stamped != case.about.fees_ppm:
                    yield _untrue("FEES_DIFFER", step, str(case.about.fees_ppm), str(stamped))


def _untrue(code: str, step: Decision, expected: str, found: str) -> Break:
    return Break(
        invariant="I13",
        code=code,
        where=step.place,
        expected=expected,
        found=found,
        user_id=step.frame.user_id,
        request_id=step.frame.request_id,
        cause="this is not for the program to say",
    )
