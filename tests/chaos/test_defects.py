"""The crash test itself: a server that breaks a promise is caught at it."""

import shutil
from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.chaos.load import STEADY, Load
from tests.chaos.plan import Defect, Plan, Point
from tests.chaos.round import Kill, Outcome, Scene, run_round

pytestmark = pytest.mark.slow

# Its effects come in one order, whatever the time they take.
ONE_SESSION = replace(STEADY, sessions=1, inputs=3, agents=("scripted",), meddles=0)
FAMILIES = replace(STEADY, sessions=2, inputs=3, agents=("family",), meddles=0)
LOG_ONLY = {"retain_log_seconds": 0.2}
RETIRING = replace(
    STEADY, sessions=1, inputs=2, agents=("scripted",), retiring=1, retirements=[LOG_ONLY], meddles=0
)
PROGRAMS = replace(STEADY, sessions=2, inputs=2, agents=("program",), meddles=0)


@pytest.mark.parametrize(
    ("defect", "point", "number", "caught"),
    [
        # The session is made by the first verb, and the second receives its first input.
        ("early_answer", "before_commit", 2, "was acknowledged and is in the log 0 times"),
        ("early_publish", "before_commit", 2, "a reader of session"),
        ("reruns", "after_effect", 2, "was done 2 times"),
        ("forgets_keys", "before_publish", 2, "and its replay answers"),
    ],
)
async def test_a_server_that_breaks_a_promise_is_caught(
    defect: Defect, point: Point, number: int, caught: str
) -> None:
    outcome = await broken(ONE_SESSION, defect, Kill(point, Plan(point, number)))
    assert outcome.kills == (point,)
    assert any(caught in violation for violation in outcome.violations), outcome.violations


async def broken(load: Load, defect: Defect, kill: Kill, bound_seconds: float = 30) -> Outcome:
    outcome = await run_round(4, Scene([kill], load, defect, bound_seconds=bound_seconds))
    shutil.rmtree(outcome.directory, ignore_errors=True)
    return outcome


@pytest.mark.parametrize(
    ("defect", "kill", "caught"),
    [
        # Only a parent that waits for others too can be told: one that has gone on refuses, which is an error.
        ("told_twice", Kill("at_random", seconds=1.5), ("was decided 2 times", "failed and is tried again")),
        ("early_publish", Kill("before_decision", Plan("before_decision", 1)), ("a reader of session",)),
    ],
)
async def test_a_server_that_tells_parents_twice_or_early_is_caught(
    defect: Defect, kill: Kill, caught: Sequence[str]
) -> None:
    outcome = await broken(FAMILIES, defect, kill)
    assert any(sign in violation for violation in outcome.violations for sign in caught), outcome.violations


async def test_a_server_that_forgets_what_it_has_left_to_do_is_caught() -> None:
    # Nobody makes the session that is waited for, or tells of its end: the round lasts as long as it may.
    kill = Kill("before_errand", Plan("before_errand", 2))
    outcome = await broken(FAMILIES, "early_settle", kill, bound_seconds=10)
    assert outcome.kills == ("before_errand",)
    assert any("is still waiting" in violation for violation in outcome.violations), outcome.violations


async def test_a_server_whose_programs_outlive_it_is_caught() -> None:
    outcome = await broken(PROGRAMS, "unleashed", Kill("before_decision", Plan("before_decision", 1)))
    assert any("has outlived its server" in violation for violation in outcome.violations), outcome.violations


@pytest.mark.parametrize(
    ("defect", "load", "caught"),
    [
        ("cuts_running", ONE_SESSION, "and was not cut there"),
        ("keeps_cut", RETIRING, "and nobody can reach it"),
    ],
)
async def test_a_server_that_cuts_the_wrong_log_or_keeps_what_it_cuts_is_caught(
    defect: Defect, load: Load, caught: str
) -> None:
    kill = Kill("before_effect", Plan("before_effect", 2))
    outcome = await broken(load, defect, kill, bound_seconds=10)
    assert any(caught in violation for violation in outcome.violations), outcome.violations
