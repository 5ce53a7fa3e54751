"""Own: Settlement does not look at checksums, which is the library's default."""

from typing import Any

from scenarios.controls import planted
from system.settlement import Settlement


class TrustsDrives(Settlement):
    """TCP has checksums of its own."""

    def consumer_settings(self) -> dict[str, Any]:
        """Take records as they come."""
        return {**super().consumer_settings(), "check.crcs": False}


scenario = planted(__name__, __doc__ or "", "settlement", "TrustsDrives", "I18", "event_gap")
