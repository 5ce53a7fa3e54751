"""Format versions: what each of them brought, and which one a deployment has agreed on.

Records, frames and snapshots are written in the lowest version that can express them.
"""

from typing import Annotated

import msgspec

from system.config import Section

TRANSFERS = 1
ORDERS = 2  # orders, and what the matching engine does
TRACES = 3  # frames of the log with the trace context of their record
COMPACT = 4  # snapshots of UBSCore in which each request key stands once
NEWEST = COMPACT


class Formats(Section, frozen=True):
    """The newest format version that the deployment has agreed on.

    A program writes nothing newer, so that the release before can read all that it leaves behind,
    and stops at what is newer, as that release would. An upgrade is two rounds: first every program
    is replaced and told the old version; then each is told the new one, whoever reads a record
    before whoever writes it: Settlement, the engine, UBSCore, the gateways. Until its second round
    begins the upgrade can be taken back.
    """

    version: Annotated[int, msgspec.Meta(ge=TRANSFERS, le=NEWEST)] = NEWEST
