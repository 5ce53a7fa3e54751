"""The simulated stage: what a run leaves behind in an interpreter that goes on."""

import weakref

from scenarios import catalog
from scenarios.stages import simulated
from scenarios.stages.town import Town
from sim.kernel import Kernel


def test_nothing_of_a_world_is_left_when_the_next_run_has_begun() -> None:
    worlds: list[weakref.ref[Kernel]] = []

    def prepare(town: Town) -> None:
        assert [world() for world in worlds] == [None] * len(worlds)
        worlds.append(weakref.ref(town.world.kernel))

    for seed in range(3):
        simulated.run(catalog.find("nine_deposits"), seed, prepare=prepare)

    assert len(worlds) == 3
