"""A session of agent-swarm's as the rest of the server sees it."""

from pathlib import Path

import httpx2

from sojourn.domain.ids import SessionId
from tests.client.server import ServerProcess
from tests.contract.agent_swarm.calls import PATH, Swarm, boolean
from tests.contract.agent_swarm.requirements import covers
from tests.support.world import SOMEBODY


async def id_of(swarm: Swarm, task: str) -> SessionId:
    wanted = (await swarm.row(task))["id"]
    roster = await swarm.world.services.rosters.read(swarm.world.org)
    (id,) = [one.id for one in roster.sessions if str(one.id) == wanted]
    return id


@covers("life.busy", "life.history")
async def test_it_is_open_and_busy_until_it_is_deleted_and_its_history_stays(either: Swarm) -> None:
    world = either.world
    await either.create("task-1", taskDescription="write the report")
    session = await id_of(either, "task-1")
    record = await world.record(session)
    assert (record.origin, record.title) == ("agent-swarm", "write the report")
    assert (record.session.status, record.session.activity) == ("open", "busy")
    assert (record.session.presences, record.session.runner) == (1, "model")
    await either.provider("task-1", "claude-1")
    assert await either.delete_task("task-1")
    ended = (await world.record(session)).session
    assert (ended.status, ended.activity, ended.end_reason) == ("completed", "idle", "deleted")
    assert ended.presences == 0
    assert await world.types(session) == [
        "session.created", "lease.acquired", "session.updated", "session.ended",
    ]  # fmt: skip
    assert await world.store.reads.list_presences(world.org, session) == []
    assert await world.store.reads.find_session(world.org, "taskId", "task-1") is None
    again = await either.create("task-1")
    assert again["id"] != str(session)
    assert await world.problems() == []


@covers("life.history")
async def test_a_delete_by_id_lets_the_task_go_too(either: Swarm) -> None:
    world = either.world
    session = await either.create("task-1")
    assert await either.delete(session["id"])
    assert await world.store.reads.find_session(world.org, "taskId", "task-1") is None
    await either.create("task-1")


@covers("life.swept")
async def test_a_sweep_ends_it_as_expired_and_says_why_and_who(either: Swarm) -> None:
    world = either.world
    await either.create("stale")
    stale = await id_of(either, "stale")
    await either.quiet_for(31 * 60)
    await either.create("fresh")
    fresh = await id_of(either, "fresh")
    assert await either.cleanup() == 1
    assert await either.cleanup(agentId="agent-1") == 1
    for session, reason in ((stale, "stale"), (fresh, "agent_cleanup")):
        ended = (await world.record(session)).session
        assert (ended.status, ended.end_reason) == ("expired", reason)
        (last,) = (await world.log(session))[-1:]
        assert last.type == "session.ended"
    # The tasks are free again.
    await either.create("stale")
    await either.create("fresh")
    assert await world.problems() == []


@covers("life.stale")
async def test_staleness_is_a_label_that_ends_nothing(swarm: Swarm) -> None:
    world = swarm.world
    await swarm.create("task-1")
    (driven,) = (await world.services.rosters.read(world.org)).sessions
    world.clock.advance(30 * 60)
    assert not driven.is_stale(world.clock.now())
    world.clock.advance(1)
    assert driven.is_stale(world.clock.now())
    await world.services.upkeep.tick()
    assert (await world.record(driven.id)).session.status == "open"
    assert await swarm.tasks() == ["task-1"]


@covers("life.message")
async def test_a_message_to_it_waits_and_starts_no_turn_here(either: Swarm) -> None:
    world = either.world
    await either.create("task-1")
    session = await id_of(either, "task-1")
    await world.send(session)
    record = await world.record(session)
    assert (record.session.queued_inputs, record.session.turns, record.session.activity) == (1, 0, "busy")
    assert await either.tasks() == ["task-1"]
    assert await either.delete_task("task-1")
    assert "input.withdrawn" in await world.types(session)
    assert await world.problems() == []


async def test_one_that_was_ended_through_another_door_is_no_row_and_its_task_can_be_taken_again(
    either: Swarm,
) -> None:
    world = either.world
    await either.create("task-1")
    session = await id_of(either, "task-1")
    await world.services.sessions.end(world.org, session, "failed", "by hand", SOMEBODY)
    assert await either.rows() == []
    assert not await either.beat("task-1")
    assert not await either.provider("task-1", "p")
    assert not await either.delete_task("task-1")
    assert not await either.delete(str(session))
    again = await either.create("task-1")
    assert [row["id"] for row in await either.rows()] == [again["id"]]
    # A message reopens the old one, which nobody drives; the task is the new one's all the same.
    await world.send(session)
    assert await either.beat("task-1")
    await world.services.presences.hold(world.org, session, "laptop", None)
    assert await either.delete(str(session))
    assert await either.beat("task-1")


@covers("life.restart")
async def test_sessions_and_beats_survive_a_killed_server(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        headers = {"Authorization": f"Bearer {server.key}"}
        async with httpx2.AsyncClient(base_url=server.url, headers=headers) as client:
            for number in range(50):
                body = {"agentId": "a", "triggerType": "t", "taskId": f"task-{number}"}
                assert (await client.post(PATH, json=body)).status_code == 201
            assert boolean(await client.put(f"{PATH}/heartbeat/task-7"), "updated")
            before = (await client.get(PATH)).json()
        await server.kill()
        await server.start()
        async with httpx2.AsyncClient(base_url=server.url, headers=headers) as client:
            assert (await client.get(PATH)).json() == before
            assert boolean(await client.put(f"{PATH}/heartbeat/task-7"), "updated")
            body = {"agentId": "a", "triggerType": "t", "taskId": "task-7"}
            assert (await client.post(PATH, json=body)).status_code == 409
            assert boolean(await client.delete(f"{PATH}/by-task/task-7"), "deleted")
