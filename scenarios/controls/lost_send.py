"""The send to the events topic is started and never awaited; nine deposits vanish, unnoticed."""

from dataclasses import replace

from scenarios.catalog.nine_deposits import scenario as nine_deposits
from scenarios.scenario import SECOND

scenario = replace(
    nine_deposits,
    name="lost_send",
    story=__doc__ or "",
    programs=(("ubscore", "scenarios.controls.k4_lost_send:LosesTheSend"),),
    settles_ns=10 * SECOND,  # nobody does any harm: what is not there by then was lost
    expect=("I3",),
)
