"""The crash test itself: a server that breaks a promise is caught at it."""

import shutil

import pytest

from tests.chaos.load import Load
from tests.chaos.plan import Defect, Plan, Point
from tests.chaos.round import Kill, Scene, run_round

pytestmark = pytest.mark.slow

ONE_SESSION = Load(sessions=1, inputs=3)


@pytest.mark.parametrize(
    ("defect", "point", "number", "caught"),
    [
        # The session is made by the first verb, and the second receives its first input.
        ("early_answer", "before_commit", 2, "was acknowledged and is in the log 0 times"),
        ("early_publish", "before_commit", 2, "a reader of session"),
        ("reruns", "after_effect", 1, "was done 2 times"),
        ("forgets_keys", "before_publish", 2, "and its replay answers"),
    ],
)
async def test_a_server_that_breaks_a_promise_is_caught(
    defect: Defect, point: Point, number: int, caught: str
) -> None:
    scene = Scene([Kill(point, Plan(point, number))], ONE_SESSION, defect, bound_seconds=5)
    outcome = await run_round(4, scene)
    shutil.rmtree(outcome.directory, ignore_errors=True)
    assert outcome.kills == (point,)
    assert any(caught in violation for violation in outcome.violations), outcome.violations
