"""Harm to brokers from within: it has no counterpart, and says why."""

from scenarios.stages.real.counterpart import Counterparts, none
from sim.faults import AlterRecord, LoseRecord, Throttle

COUNTERPARTS: Counterparts = {
    Throttle: none("client quotas of one broker cannot be set from outside"),
    LoseRecord: none("a record in a broker's log cannot be taken out from outside"),
    AlterRecord: none("a record in a broker's log cannot be changed from outside"),
}
