"""What a system owes under faults: masking, a halt with its reason, or nothing.

Without it, "everything holds under all faults" is either false or a toy: some damage nothing can
survive, and some can only be answered by stopping.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sim.faults import Receipt

if TYPE_CHECKING:
    from scenarios.scenario import Step

Owed = Literal["masked", "halted", "excluded"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """For faults of `kind` that bit: what is owed, by whom, and why.

    `reason` is the halt reason that is then a pass; ``*`` allows any.
    """

    kind: str
    owed: Owed
    process: str = ""
    reason: str = "*"
    because: str = ""


DEFAULT_CLAUSES = (
    Clause(
        kind="BitRot",
        owed="halted",
        process="ubscore-1",
        because="bytes below the durable frontier changed; only an operator can restore them",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultBudget:
    """The clauses of a scenario; a fault without a clause is owed masking."""

    clauses: tuple[Clause, ...] = DEFAULT_CLAUSES

    def owes(self, injections: "list[tuple[Step, Receipt]]") -> list[Clause]:
        """Return the clauses other than masking that the faults which bit have called in."""
        bitten = {
            step.fault.kind.partition("(")[0] for step, receipt in injections if receipt.bites
        }
        return [clause for clause in self.clauses if clause.kind in bitten]
