"""Writers are upgraded before readers, one is taken back: who meets a newer format stops."""

from dataclasses import replace

from scenarios.budget import Clause, FaultBudget
from scenarios.catalog import upgrade
from scenarios.deployment import SECOND, Restarts
from scenarios.plans import upgrade_out_of_order
from scenarios.scenario import Scenario
from scenarios.trading import Trading

_HALTS = {
    "ubscore-*": ("input_unreadable", "log_version", "snapshot_version"),
    "engine-*": ("input_unreadable", "output_unreadable"),
    "settlement-*": ("undecodable",),
}

scenario = Scenario(
    name="upgrade_out_of_order",
    story=__doc__ or "",
    workload=Trading(users=8, operations=(60, 80), lasts_ns=12 * SECOND),
    deployment=replace(upgrade.scenario.deployment, restarts=Restarts(operator_ns=SECOND)),
    plan=upgrade_out_of_order,
    budget=FaultBudget(
        clauses=tuple(
            Clause(
                kind="Redeploy",
                owed="halted",
                process=process,
                reason=reason,
                detail="*version*",
                because="it was told to read no newer format, and met one",
            )
            for process, reasons in _HALTS.items()
            for reason in reasons
        )
    ),
    sometimes=("newer record refused", "newer log or snapshot refused", "partial fill"),
)
