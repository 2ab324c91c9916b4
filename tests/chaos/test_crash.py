"""A killed server loses nothing that it told anybody of, and does nothing twice that it knows it did.

`python -m tests.chaos --rounds 200` is the long form.
"""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from tests.chaos.load import STEADY, Load
from tests.chaos.plan import Plan, Point
from tests.chaos.round import Kill, Outcome, Scene, run_round
from tests.support.databases import PostgresDatabase

pytestmark = pytest.mark.slow

SMALL = replace(STEADY, sessions=2, inputs=3, agents=("scripted", "parallel"))
FAMILIES = replace(STEADY, sessions=2, inputs=2, agents=("family",), meddles=0.2)
PROGRAMS = replace(STEADY, sessions=2, inputs=2, agents=("program",), meddles=0.2)
GONE_SOON = {"retain_log_seconds": 0.2, "retain_seconds": 1.0}
RETIRING = replace(
    STEADY, sessions=2, inputs=1, agents=("scripted",), retiring=1, retirements=[GONE_SOON], meddles=0.2
)
# Numbers that a small round is sure to come to.
NUMBERS: dict[Point, int] = {
    "while_starting": 2,
    "before_commit": 9,
    "before_publish": 5,
    "before_answer": 12,
    "before_call": 3,
    "mid_stream": 4,
    "before_effect": 2,
    "after_effect": 3,
    "between_tools": 1,
    "before_decision": 2,
}


def assert_kept(outcome: Outcome) -> None:
    assert outcome.violations == (), f"the files are in {outcome.directory}"


@pytest.mark.parametrize("point", NUMBERS)
async def test_a_server_killed_at_a_chosen_point_keeps_every_promise(point: Point) -> None:
    outcome = await run_round(2, Scene([Kill(point, Plan(point, NUMBERS[point]))], SMALL))
    assert outcome.kills == (point,)
    assert_kept(outcome)


@pytest.mark.parametrize("point", ["before_errand", "after_errand"])
async def test_a_server_killed_between_parents_and_children_keeps_every_promise(point: Point) -> None:
    kills = [Kill(point, Plan(point, number)) for number in (1, 2)]
    outcome = await run_round(3, Scene(kills, FAMILIES))
    assert outcome.kills == (point, point)
    assert_kept(outcome)


@pytest.mark.parametrize("point", ["before_commit", "before_decision"])
async def test_a_server_killed_with_its_agents_programs_keeps_every_promise(point: Point) -> None:
    kills = [Kill(point, Plan(point, number)) for number in (2, 12)]
    outcome = await run_round(3, Scene(kills, PROGRAMS))
    assert outcome.kills[0] == point
    assert_kept(outcome)


async def test_a_server_killed_while_it_removes_what_is_not_kept_keeps_every_promise() -> None:
    points: Sequence[Point] = ("before_cut", "before_purge")
    outcome = await run_round(5, Scene([Kill(point, Plan(point, 1)) for point in points], RETIRING))
    assert outcome.kills == points
    assert outcome.facts["session.trimmed"] > 0
    assert_kept(outcome)


async def test_a_server_killed_as_its_answer_arrives_has_kept_what_it_answered() -> None:
    outcome = await run_round(2, Scene([Kill("at_answer", answer=answer) for answer in (3, 2, 1)], SMALL))
    assert outcome.kills == ("at_answer",) * 3
    assert_kept(outcome)


async def test_a_turn_that_outlived_three_servers_without_progress_is_given_up() -> None:
    kills = [Kill("before_call", Plan("before_call", 1))] * 3
    outcome = await run_round(
        2,
        Scene(
            kills,
            Load(
                sessions=1,
                inputs=1,
                replays=1,
                agents=("parallel",),
                hasty=0,
                fleeting=0,
                retiring=0,
                meddles=0,
            ),
        ),
    )
    assert outcome.kills == ("before_call",) * 3
    assert (outcome.facts["turn.failed"], outcome.facts["model.called"]) == (1, 3)
    assert_kept(outcome)


@pytest.mark.parametrize("seed", range(3))
async def test_a_server_killed_at_random_keeps_every_promise(seed: int) -> None:
    assert_kept(await run_round(seed))


@pytest.mark.parametrize(("point", "load"), [("before_commit", SMALL), ("before_errand", FAMILIES)])
async def test_a_server_killed_over_postgres_keeps_every_promise(
    point: Point, load: Load, postgres: PostgresDatabase
) -> None:
    outcome = await run_round(2, Scene([Kill(point, Plan(point, 2))], load, postgres=postgres))
    assert outcome.kills == (point,)
    assert_kept(outcome)


async def test_servers_of_one_postgres_killed_in_turn_keep_every_promise(postgres: PostgresDatabase) -> None:
    kills = [Kill("before_commit", Plan("before_commit", 4)), Kill("at_random", seconds=0.3)]
    load = replace(SMALL, inputs=2)
    assert_kept(await run_round(6, Scene(kills, load, postgres=postgres, servers=2)))


async def test_a_worker_elsewhere_that_dies_sleeps_and_loses_its_line_does_nothing_twice() -> None:
    assert_kept(await run_round(7, Scene([], SMALL, elsewhere=True)))
