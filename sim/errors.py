"""What can go wrong in a world, as opposed to in a program that runs in it.

SimulationError
├── SimulationEscape   a program reached past the doors
├── Unmodelled         a program asked a simulated device for what it does not model
├── Stalled            real time passed without an event
└── CapReached         a run used up its events, virtual time or real time
"""


class SimulationError(BaseException):
    """Ends the run. A BaseException, so that no program's ``except Exception`` hides it."""


class SimulationEscape(SimulationError):
    """A simulated process touched the real world: the message names the call and the line."""


class Unmodelled(SimulationError):
    """A simulated device was asked for something it would have to get wrong."""


class Stalled(SimulationError):
    """Real time passed without an event; the message holds the stacks of all threads."""


class CapReached(SimulationError):
    """The run used up what its caps allow: its verdict is unknown."""
