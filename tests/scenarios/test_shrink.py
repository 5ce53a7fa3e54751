from hypothesis import given
from hypothesis import strategies as st

from scenarios.scenario import Plan, Step
from scenarios.shrink import Shrinking
from sim.faults import Crash

PLAN: Plan = tuple(Step(at=at, fault=Crash("ubscore-1")) for at in range(12))
parts = st.sets(st.sampled_from(PLAN))


@given(needed=parts)
def test_what_is_needed_is_left_and_nothing_else(needed: set[Step]) -> None:
    shrinking = Shrinking(PLAN, lambda plan: needed <= set(plan), budget=1000)

    shrinking.go()

    assert shrinking.plan == tuple(step for step in PLAN if step in needed)
    assert shrinking.smallest


@given(others=st.sets(st.frozensets(st.sampled_from(PLAN))))
def test_of_any_plan_what_is_left_happens_and_without_any_step_of_it_does_not(
    others: set[frozenset[Step]],
) -> None:
    def happens(plan: Plan) -> bool:
        return plan == PLAN or frozenset(plan) in others

    shrinking = Shrinking(PLAN, happens, budget=1000)
    shrinking.go()

    left = shrinking.plan
    assert happens(left)
    assert not any(happens(left[:i] + left[i + 1 :]) for i in range(len(left)))


@given(budget=st.integers(0, 30), needed=parts)
def test_a_budget_is_kept_and_the_fewest_found_until_then_still_happen(
    budget: int, needed: set[Step]
) -> None:
    asked = []

    def happens(plan: Plan) -> bool:
        asked.append(plan)
        return needed <= set(plan)

    shrinking = Shrinking(PLAN, happens, budget)
    shrinking.go()

    assert len(asked) == len(set(asked)) <= budget
    assert needed <= set(shrinking.plan)
    assert shrinking.smallest or len(asked) == budget


def test_whoever_says_enough_gets_what_was_found_until_then() -> None:
    seen: list[Plan] = []

    def happens(plan: Plan) -> bool:
        seen.append(plan)
        return len(plan) >= 3

    shrinking = Shrinking(PLAN, happens, 1000, enough=lambda: len(seen) == 2)
    shrinking.go()

    assert shrinking.plan == seen[-1] == PLAN[:6]
    assert not shrinking.smallest
