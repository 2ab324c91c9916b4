"""GET /api/active-sessions."""

import asyncio

import pytest

from sojourn.service.driven import Sweep
from sojourn.service.sessions import NewSession
from tests.contract.agent_swarm.calls import KEYS, PATH, Swarm
from tests.contract.agent_swarm.requirements import covers
from tests.support.world import SOMEBODY


@covers("list.order")
async def test_the_list_is_the_whole_table_newest_first(either: Swarm) -> None:
    made = [await either.create(f"task-{number}") for number in range(30)]
    assert await either.rows() == made[::-1]
    assert await either.rows("?agentId=unknown") == []


@covers("list.agent")
@pytest.mark.parametrize(
    ("query", "tasks"),
    [
        ("?agentId=b%20%26", ["2"]),
        ("?agentId=b+%26", ["2"]),
        ("?agentId=", ["3", "2", "1"]),
        ("?agentId=a&agentId=b%20%26", ["2"]),
        ("?agentId=a&agentId=", ["3", "2", "1"]),
        ("?limit=1&cursor=x&offset=-1&agentid=a", ["3", "2", "1"]),
        ("?%ff=%00&agentId=a&=&&", ["3", "1"]),
        ("?agentId=%ff", []),
        ("?agentId=%00", []),
        ("?" + "x=1&" * 2000 + "agentId=a", ["3", "1"]),
    ],
)
async def test_the_last_agent_filters_and_other_parameters_do_nothing(
    swarm: Swarm, query: str, tasks: list[str]
) -> None:
    for task, agent in (("1", "a"), ("2", "b &"), ("3", "a")):
        await swarm.create(task, agent)
    assert [row["taskId"] for row in await swarm.rows(query)] == tasks


@covers("list.etag")
async def test_a_list_that_did_not_change_is_not_sent_again(either: Swarm) -> None:
    await either.create("task-1", "a")
    await either.create("task-2", "b")

    async def tag(query: str = "") -> str:
        return (await either.client.get(PATH + query)).headers["etag"]

    async def status(known: str, query: str = "") -> int:
        answer = await either.client.get(PATH + query, headers={"If-None-Match": known})
        assert (answer.status_code == 304) == (answer.content == b"")
        assert answer.headers["etag"] == await tag(query)
        return answer.status_code

    first, of_one = await tag(), await tag("?agentId=a")
    assert first != of_one
    assert [await status(known) for known in (first, f'"x", W/{first}', "*", '"x"', "")] == [
        304, 304, 304, 200, 200,
    ]  # fmt: skip
    assert await status(of_one, "?agentId=a") == 304
    either.world.clock.advance(1)
    await either.beat("task-2")
    assert await status(first) == 200
    # Nothing of this agent has changed.
    assert await status(of_one, "?agentId=a") == 304
    seen = [await tag()]
    for change in (either.create("task-3"), either.provider("task-1", "p"), either.delete_task("task-3")):
        await change
        seen.append(await tag())
    assert len(set(seen)) == 4


@covers("list.elsewhere")
async def test_a_session_driven_from_elsewhere_is_a_row_and_one_that_is_not_driven_is_none(
    either: Swarm,
) -> None:
    world = either.world
    made = await either.create("task-1")
    await world.new_session(NewSession(title="nobody drives it"))
    session = await world.new_session(NewSession(agent="spawning"))
    assert await either.rows() == [made]
    await world.services.presences.hold(world.org, session, "laptop", None)
    (row,) = await either.rows("?agentId=spawning")
    assert tuple(row) == KEYS
    assert (row["id"], row["agentId"], row["triggerType"]) == (str(session), "spawning", "session")
    assert {row[key] for key in ("taskId", "taskDescription", "runnerSessionId")} == {None}
    assert len(await either.rows()) == 2
    await world.services.presences.release(world.org, session, "laptop", SOMEBODY)
    assert await either.rows() == [made]


async def test_a_beat_through_another_door_is_a_beat_too(swarm: Swarm) -> None:
    world = swarm.world
    session = await world.new_session(NewSession(agent="spawning"))
    await world.services.presences.hold(world.org, session, "laptop", None)
    (before,) = await swarm.rows()
    world.clock.advance(60)
    await world.services.presences.hold(world.org, session, "laptop", None)
    (after,) = await swarm.rows()
    assert after["lastHeartbeatAt"] > before["lastHeartbeatAt"]


async def test_a_list_shows_every_change_that_was_acknowledged_before_it_was_asked_for(
    either: Swarm,
) -> None:
    """Readers and writers at once: whoever was answered finds what they did."""

    async def live(number: int) -> None:
        task = f"task-{number}"
        for _ in range(3):
            await either.create(task)
            assert task in await either.tasks()
            assert await either.provider(task, f"provider-{number}")
            assert (await either.row(task))["providerSessionId"] == f"provider-{number}"
            assert await either.delete_task(task)
            assert task not in await either.tasks()

    await asyncio.gather(*(live(number) for number in range(12)))
    assert await either.rows() == []
    assert await either.world.problems() == []


async def test_a_list_that_nobody_asked_for_in_a_long_time_is_whole_again(swarm: Swarm) -> None:
    assert await swarm.rows() == []
    made = [await swarm.create(f"task-{number}") for number in range(450)]
    assert await swarm.rows() == made[::-1]
    for session in made[:250]:
        assert await swarm.delete(session["id"])
    assert await swarm.rows() == made[250:][::-1]


async def test_a_deleted_session_leaves_the_list_though_it_leaves_no_event(swarm: Swarm) -> None:
    world = swarm.world
    session = await swarm.create("task-1")
    assert len(await swarm.rows()) == 1
    (known,) = (await world.services.rosters.read(world.org)).sessions
    await world.services.sessions.delete(world.org, known.id, SOMEBODY)
    assert await swarm.rows() == []
    assert not await swarm.beat("task-1")
    assert (await swarm.create("task-1"))["id"] != session["id"]


async def test_a_sweep_ends_nothing_that_its_holder_does_not_drive(swarm: Swarm) -> None:
    world = swarm.world
    await swarm.create("task-1")
    (known,) = (await world.services.rosters.read(world.org)).sessions
    sweep = Sweep(holder="somebody else", reason="stale", quiet_seconds=None)
    swept = await world.services.driven.sweep(
        world.org, [known.id], sweep, SOMEBODY, "agent-swarm", lambda _: None
    )
    assert (swept, len(await swarm.rows())) == (0, 1)
