"""A5: request keys are kept in memory only; after a crash a late retry is applied again."""

from scenarios.controls import planted
from system.ubscore import UBSCore
from system.ubscore.state import State
from system.wal.frames import AnyBody


class _Forgetful(State):
    def forget_keys(self) -> None:
        """Drop every request key."""
        self._requests.clear()
        self._ages.clear()


class ForgetsKeys(UBSCore):
    """Rebuilds balances from the log, but not what was asked."""

    state_type = _Forgetful

    def fold(self, lsn: int, body: AnyBody) -> None:
        """Take in the effect without its key."""
        super().fold(lsn, body)
        assert isinstance(self.state, _Forgetful)
        self.state.forget_keys()


scenario = planted(__name__, __doc__ or "", "ubscore", "ForgetsKeys", "I4")
