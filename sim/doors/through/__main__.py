"""``python -m sim.doors.through PLAN MODULE [ARGUMENTS]``: runs a module behind watched doors."""

import runpy
import sys
from pathlib import Path

from sim.doors.through import clocks, files
from sim.doors.through.board import Board
from sim.doors.through.plan import DoorPlan
from sim.doors.through.watch import Watch


def main(arguments: list[str]) -> None:
    """Hang the doors that the plan needs, then become the program."""
    plan = DoorPlan.load(Path(arguments[0]))
    board = Board(plan.board, len(plan.rules))
    watch = Watch(plan, board)
    doors = watch.doors()
    if plan.clock:
        clocks.install(board)
    if doors & files.DOORS or plan.power:
        files.install(watch)
    if any(door.startswith("kafka.") for door in doors):
        from sim.doors.through import kafka  # noqa: PLC0415 - loads the library

        kafka.install(watch)
    if "cql.execute" in doors:
        from sim.doors.through import cassandra  # noqa: PLC0415 - loads the driver

        cassandra.install(watch)
    sys.argv = arguments[1:]
    runpy.run_module(arguments[1], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
