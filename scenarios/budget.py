"""What a system owes under faults: masking, a halt with its reason, or nothing.

Without it, "everything holds under all faults" is either false or a toy: some damage nothing can
survive, and some can only be answered by stopping.
"""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from sim.faults import Receipt

if TYPE_CHECKING:
    from scenarios.scenario import Step

Owed = Literal["masked", "halted", "excluded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """For faults of `kind` that bit: what is owed, by whom (empty: by its targets), and why.

    `reason` is the halt reason that is then a pass, `detail` what must be said; ``*`` allows any.
    """

    kind: str
    owed: Owed
    process: str = ""
    reason: str = "*"
    detail: str = "*"
    because: str = ""


_GONE = "an acknowledged record is gone; only an operator can say what it held"
_ALTERED = "a record is not what was acknowledged; only an operator can say what it was"

# What each reader says of a record of the engine's that is gone or altered. The engine itself reads
# its outputs when it starts.
_SPOILED = (
    ("LoseRecord", "ubscore-*", _GONE, ("input_gap", "record_missing")),
    ("LoseRecord", "settlement-*", _GONE, ("input_gap", "record_missing")),
    ("LoseRecord", "ubscore-*", _GONE, ("output_gap", "output_lost")),  # of events, at its start
    ("LoseRecord", "engine-*", _GONE, ("output_gap", "output_lost")),
    (
        "AlterRecord",
        "ubscore-*",
        _ALTERED,
        ("input_unreadable", "input_misplaced", "chain_broken", "record_damaged"),
    ),
    (
        "AlterRecord",
        "settlement-*",
        _ALTERED,
        ("undecodable", "wrong_key", "chain_broken", "record_damaged"),
    ),
    (
        "AlterRecord",
        "engine-*",
        _ALTERED,
        ("output_unreadable", "output_foreign", "output_differs", "output_ahead", "record_damaged"),
    ),
)

DEFAULT_CLAUSES = (
    *(
        Clause(
            kind="BitRot",
            owed="halted",
            reason=reason,
            because="bytes below the durable frontier changed; only an operator can restore them",
        )
        for reason in ("log_*", "output_ahead")
    ),
    *(
        Clause(kind=kind, owed="halted", process=process, reason=reason, because=because)
        for kind, process, because, reasons in _SPOILED
        for reason in reasons
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultBudget:
    """The clauses of a scenario; a fault without a clause is owed masking."""

    clauses: tuple[Clause, ...] = DEFAULT_CLAUSES

    def owes(self, injections: "list[tuple[Step, Receipt]]") -> list[Clause]:
        """Return the clauses other than masking that the faults which bit have called in."""
        bitten: dict[str, dict[str, None]] = {}
        for step, receipt in injections:
            if receipt.bites:
                kind = step.fault.kind.partition("(")[0]
                bitten.setdefault(kind, {}).update(dict.fromkeys(receipt.targets))
        return [
            replace(clause, process=process)
            for clause in self.clauses
            for process in ([clause.process] if clause.process else bitten.get(clause.kind, ()))
            if clause.kind in bitten
        ]
