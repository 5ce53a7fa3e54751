"""W20: logged before it was validated; a replay applies what was rejected."""

from msgspec.structs import replace

from scenarios.controls import planted
from system.records import Withdraw, decode_operation
from system.ubscore import UBSCore
from system.ubscore.state import Balance, State
from system.wal.frames import AnyBody, CommandFrame, Leg


class _Adds(State):
    def withdraw(self, user_id: int, asset_id: int, amount: int) -> None:
        """Take an amount from an account."""
        before = self.balance(user_id, asset_id)
        self.balances[user_id, asset_id] = replace(before, avail=before.avail - amount)

    def _leg(self, leg: Leg) -> None:
        """Add the amounts of a leg, and look at nothing else."""
        before = self.balance(leg.user_id, leg.asset_id)
        after = before.avail + leg.delta_avail, before.frozen + leg.delta_frozen
        self.balances[leg.user_id, leg.asset_id] = Balance(*after, leg.seq)
        self.users.add(leg.user_id)
        if leg.event_type in ("deposit", "withdraw"):
            self.net[leg.asset_id] = self.net.get(leg.asset_id, 0) + leg.delta_avail


class AppliesAll(UBSCore):
    """What is in the log has happened."""

    state_type = _Adds

    def fold(self, lsn: int, body: AnyBody) -> None:
        """Take in a withdrawal, whatever was decided about it."""
        super().fold(lsn, body)
        if isinstance(body, CommandFrame) and body.decision == "rejected":
            command = decode_operation(body.command)
            if isinstance(command, Withdraw):
                assert isinstance(self.state, _Adds)
                self.state.withdraw(command.user_id, command.asset_id, command.amount)


scenario = planted(__name__, __doc__ or "", "ubscore", "AppliesAll", "I7 I13 I6")
