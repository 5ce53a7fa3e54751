"""A1: the gateway makes a new id for every attempt, so a retry is a new intention."""

import uuid

from scenarios.controls import planted
from system.gateway import Gateway
from system.gateway.inputs import Body


class NewIdEachTime(Gateway):
    """Thinks that ids are its own to make."""

    def request_id(self, body: Body) -> str:
        """Keep the time of the client's key, make up the rest."""
        checked = super().request_id(body)
        return f"{checked[:14]}7{str(uuid.uuid4())[15:]}"


scenario = planted(__name__, __doc__ or "", "gateway", "NewIdEachTime", "I4 I3 I13")
