"""What a command asks to be moved, as it words it."""

import msgspec

from system.records import Deposit, Withdraw, decode_operation


class Movement(msgspec.Struct, gc=False):
    """A transfer as its command words it; asset 0: the command is none."""

    asset_id: int
    delta: int


NO_MOVEMENT = Movement(0, 0)


def movement_of(value: bytes) -> Movement:
    """Return what a command asks for; commands that trade move nothing by themselves."""
    command = decode_operation(value)
    if isinstance(command, Deposit):
        return Movement(command.asset_id, command.amount)
    if isinstance(command, Withdraw):
        return Movement(command.asset_id, -command.amount)
    return NO_MOVEMENT
