"""Beats, provider sessions, deletes, cleanup, orphans; and the paths that name their tasks."""

import asyncio

import pytest

from sojourn.service.sessions import NewSession
from tests.contract.agent_swarm.calls import PATH, Swarm, boolean, error
from tests.contract.agent_swarm.requirements import covers

AGENT = "agent-1"


@covers("beat.effect")
async def test_a_beat_moves_the_heartbeat_of_its_task_and_nothing_else(either: Swarm) -> None:
    await either.create("task-1")
    other = await either.create("task-2")
    await either.quiet_for(60)
    before, untouched = await either.row("task-1"), await either.row("task-2")
    assert await either.beat("task-1")
    after = await either.row("task-1")
    assert after["lastHeartbeatAt"] > before["lastHeartbeatAt"]
    assert after | {"lastHeartbeatAt": ""} == before | {"lastHeartbeatAt": ""}
    assert await either.row("task-2") == untouched
    assert untouched["id"] == other["id"]
    assert not await either.beat("task-3")


@covers("beat.body")
@pytest.mark.parametrize("body", [b"", b"{", b"\x00\xff", b"x" * 300_000])
async def test_the_body_of_a_beat_is_not_read_and_does_not_spoil_the_connection(
    swarm: Swarm, body: bytes
) -> None:
    await swarm.create("task-1")
    for _ in range(3):
        answer = await swarm.client.put(f"{PATH}/heartbeat/task-1", content=body)
        assert boolean(answer, "updated")
    assert await swarm.tasks() == ["task-1"]


@covers("beat.anybody")
async def test_anybody_may_beat_a_task_and_nobody_a_session_id(swarm: Swarm) -> None:
    session = await swarm.create("task-1")
    without = await swarm.create()
    headers = {"X-Agent-ID": "somebody-else"}
    assert boolean(await swarm.client.put(f"{PATH}/heartbeat/task-1", headers=headers), "updated")
    assert not await swarm.beat(session["id"])
    assert not await swarm.beat(without["id"])


@covers("paths.decoded")
@pytest.mark.parametrize(
    ("task", "segment"),
    [
        ("a b", "a%20b"),
        ("a/b", "a%2Fb"),
        ("a/b", "a%2fb"),
        ("żółw", "%C5%BC%C3%B3%C5%82w"),
        ("50%", "50%25"),
        ("50%", "50%"),
        ("..", "%2e%2e"),
        ("a+b", "a+b"),
        ("a?b#c", "a%3Fb%23c"),
        ("by-task", "by-task"),
        ("heartbeat", "heartbeat"),
    ],
)
async def test_a_task_is_found_by_its_percent_encoded_name(swarm: Swarm, task: str, segment: str) -> None:
    await swarm.create(task)
    assert await swarm.beat(segment)
    assert await swarm.provider(segment, "p")
    assert await swarm.delete_task(segment)


@pytest.mark.parametrize("segment", ["%00", "%ff", "a%00b", "%ED%A0%80", "x" * 5000])
async def test_what_names_no_task_is_a_miss_and_no_error(either: Swarm, segment: str) -> None:
    assert not await either.beat(segment)
    assert not await either.provider(segment, "p")
    assert not await either.delete_task(segment)
    assert not await either.delete(segment)


@covers("paths.empty")
async def test_empty_segments_do_not_count_wherever_they_are(swarm: Swarm) -> None:
    server = str(swarm.client.base_url).rstrip("/")
    body = {"agentId": "a", "triggerType": "t", "taskId": "task-1"}
    assert (await swarm.client.post(f"{server}/api///active-sessions/", json=body)).status_code == 201
    calls: list[tuple[str, str, dict[str, object]]] = [
        ("PUT", "/api/active-sessions//heartbeat///task-1/", {"updated": True}),
        ("POST", "///api/active-sessions//cleanup//", {"cleaned": 0}),
        ("DELETE", "//api//active-sessions/by-task//task-1", {"deleted": True}),
        ("GET", "//api//active-sessions//", {"sessions": []}),
    ]
    for method, path, answer in calls:
        assert (await swarm.client.request(method, server + path)).json() == answer


async def test_the_query_of_a_change_is_ignored(swarm: Swarm) -> None:
    await swarm.create("task-1")
    assert boolean(await swarm.client.put(f"{PATH}/heartbeat/task-1?taskId=x&%ff"), "updated")
    assert boolean(await swarm.client.delete(f"{PATH}/by-task/task-1?dry=1"), "deleted")


@covers("provider.effect")
async def test_a_provider_session_is_told_without_being_a_sign_of_life(either: Swarm) -> None:
    await either.create("task-1", taskDescription="kept")
    await either.quiet_for(31 * 60)
    before = await either.row("task-1")
    for id in ("claude-1", "claude-2", "claude-2"):
        assert await either.provider("task-1", id)
        assert await either.row("task-1") == before | {"providerSessionId": id}
    assert not await either.provider("task-2", "claude-1")
    assert await either.cleanup() == 1


@covers("provider.order")
async def test_a_provider_session_is_checked_before_its_task_is_looked_for(swarm: Swarm) -> None:
    place = f"{PATH}/provider-session/nowhere"
    for body in ({}, {"providerSessionId": ""}, {"providerSessionId": None}, {"providerSessionId": 1}):
        assert "providerSessionId" in error(await swarm.client.put(place, json=body), 400)
    error(await swarm.client.put(place), 400)


@covers("delete.misses", "delete.task")
async def test_a_delete_that_finds_nothing_says_so_and_is_no_error(either: Swarm) -> None:
    session = await either.create("task-1")
    for miss in (
        "nowhere",
        "by-task",
        "cleanup",
        "task-1",
        session["id"].upper(),
        session["id"].replace("-", ""),
    ):
        assert not await either.delete(miss)
    assert not await either.delete_task(session["id"])
    assert await either.delete(session["id"])
    assert not await either.delete(session["id"])
    assert not await either.delete_task("task-1")
    assert await either.rows() == []


async def test_of_parallel_deletes_exactly_one_deleted(either: Swarm) -> None:
    session = await either.create("task-1")
    answers = await asyncio.gather(
        *(either.delete(session["id"]) for _ in range(6)), *(either.delete_task("task-1") for _ in range(6))
    )
    assert sum(answers) == 1
    assert await either.world.problems() == []


@covers("delete.elsewhere")
async def test_a_row_of_a_session_made_elsewhere_can_be_ended_by_its_id(swarm: Swarm) -> None:
    world = swarm.world
    session = await world.new_session(NewSession())
    assert not await swarm.delete(str(session))
    await world.services.presences.hold(world.org, session, "laptop", None)
    assert await swarm.delete(str(session))
    ended = (await world.record(session)).session
    assert (ended.status, ended.end_reason) == ("completed", "deleted")


@covers("cleanup.agent")
async def test_cleanup_of_an_agent_ends_all_of_its_sessions_and_no_others(either: Swarm) -> None:
    for number in range(40):
        await either.create(f"task-{number}", AGENT)
    kept = await either.create("other", "agent-2")
    assert await either.cleanup(agentId="unknown") == 0
    assert await either.cleanup(agentId=AGENT, maxAgeMinutes=10_000) == 40
    assert await either.cleanup(agentId=AGENT) == 0
    assert await either.rows() == [kept]
    assert await either.world.problems() == []


@covers("cleanup.multi")
async def test_cleanup_of_an_agent_knows_no_other_mode(swarm: Swarm, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MULTI_RUNTIME_ENABLED", "true")
    await swarm.create("task-1", runtimeInstanceId="another runtime")
    assert await swarm.cleanup(agentId=AGENT) == 1


@covers("cleanup.stale", "life.stale")
async def test_what_is_quiet_for_longer_than_thirty_minutes_is_cleaned_by_default(either: Swarm) -> None:
    await either.create("old")
    await either.create("beating")
    await either.quiet_for(29 * 60)
    assert await either.cleanup() == 0
    assert await either.beat("beating")
    await either.quiet_for(2 * 60)
    # Nothing ends by itself, and an empty agent is none.
    assert await either.tasks() == ["beating", "old"]
    assert await either.cleanup(agentId="") == 1
    assert await either.tasks() == ["beating"]


@covers("cleanup.stale")
async def test_the_age_to_clean_at_is_counted_in_minutes_since_the_last_beat(either: Swarm) -> None:
    await either.create("task-1")
    await either.quiet_for(59)
    assert await either.cleanup(maxAgeMinutes=1) == 0
    await either.quiet_for(2)
    assert await either.cleanup(maxAgeMinutes=60) == 0
    assert await either.cleanup(maxAgeMinutes=1.0) == 1


async def test_a_session_is_stale_only_once_it_is_older_than_the_age_not_at_it(swarm: Swarm) -> None:
    await swarm.create("task-1")
    swarm.world.clock.advance(30 * 60)
    assert await swarm.cleanup() == 0
    swarm.world.clock.advance(0.000_001)
    assert await swarm.cleanup() == 1


@covers("cleanup.zero")
async def test_an_age_of_zero_ends_everything_older_than_this_instant(either: Swarm) -> None:
    await either.create("task-1")
    await either.create("task-2")
    await either.quiet_for(0.001)
    assert await either.cleanup(maxAgeMinutes=0) == 2


@covers("cleanup.age")
@pytest.mark.parametrize(
    ("age", "complaint"),
    [
        ("-1", "Too small: expected number to be >=0"),
        ("-9000000000000000", "Too small: expected number to be >=0"),
        ("9000000000000000", "Too big: expected number to be <=52704000"),
        ("99999999999999999999999999", "Too big: expected number to be <=52704000"),
        ("1e300", "Too big: expected number to be <=52704000"),
        ("1.5", "Invalid input: expected int, received number"),
        ('"5"', "Invalid input: expected number, received string"),
        ("null", "Invalid input: expected number, received null"),
        ("true", "Invalid input: expected number, received boolean"),
    ],
)
async def test_an_age_that_is_none_is_refused_and_ends_nothing(
    swarm: Swarm, age: str, complaint: str
) -> None:
    await swarm.create("task-1")
    swarm.world.clock.advance(86_400)
    for body in (f'{{"maxAgeMinutes":{age}}}', f'{{"agentId":"agent-1","maxAgeMinutes":{age}}}'):
        answer = await swarm.client.post(f"{PATH}/cleanup", content=body.encode())
        assert error(answer, 400) == f"Validation error: maxAgeMinutes: {complaint}"
    assert await swarm.tasks() == ["task-1"]


@covers("cleanup.own")
async def test_cleanup_touches_no_session_that_was_made_elsewhere(either: Swarm) -> None:
    world = either.world
    session = await world.new_session(NewSession(agent="spawning"))
    await world.services.presences.hold(world.org, session, "agent-swarm", None)
    await either.quiet_for(86_400)
    assert await either.cleanup() == 0
    assert await either.cleanup(maxAgeMinutes=0) == 0
    assert await either.cleanup(agentId="spawning") == 0
    assert len(await either.rows()) == 1


async def test_a_beat_that_comes_before_the_sweep_saves_its_session(either: Swarm) -> None:
    """Beats take no lock, so they race sweeps; whoever was told `updated` by then is still there, or was swept."""
    for number in range(30):
        await either.create(f"task-{number}")
    await either.quiet_for(31 * 60)
    beats, cleaned = await asyncio.gather(
        asyncio.gather(*(either.beat(f"task-{number}") for number in range(30))), either.cleanup()
    )
    left = await either.tasks()
    assert len(left) == 30 - cleaned
    assert sum(beats) >= len(left)
    assert await either.world.problems() == []


@covers("recover.caller", "recover.none")
async def test_orphans_are_asked_for_by_their_own_agent_only_and_there_are_none(swarm: Swarm) -> None:
    place, mine = f"{PATH}/recover-orphaned-tasks", {"X-Agent-ID": AGENT}
    for body in ({"agentId": AGENT}, {"agentId": AGENT, "minAgeSeconds": 60}):
        answer = await swarm.client.post(place, json=body, headers=mine)
        assert answer.json() == {"recovered": 0, "tasks": []}
    for headers in ({}, {"X-Agent-ID": "other"}):
        sentence = error(await swarm.client.post(place, json={"agentId": AGENT}, headers=headers), 403)
        assert sentence == "Can only recover orphaned tasks for the calling agent"
    for body in ({}, {"agentId": ""}, {"agentId": AGENT, "minAgeSeconds": 0}):
        error(await swarm.client.post(place, json=body), 400)
