"""Both words of every state, how lists see them, and what is left of a session that time has ended."""

from sojourn.domain.policy import Policy
from sojourn.domain.session import Activity, SessionStatus
from sojourn.service.sessions import NewSession
from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import Membrane
from tests.support.reach import Reach, drive, end, finish, nothing, queue, retry, start, wait

# How a state is reached, what it is called, and the agent that gets it there.
STATES: list[tuple[Reach, str, str, str | None]] = [
    (nothing, "queued", "idle", None),
    (queue, "queued", "busy", None),
    (start, "running", "busy", None),
    (start, "starting", "busy", "spawning"),
    (retry, "running", "busy", None),
    (wait, "running", "idle", None),
    (finish, "running", "idle", None),
    (drive, "running", "busy", None),
    (end("completed", start), "completed", "idle", None),
    (end("failed"), "failed", "idle", None),
    (end("cancelled", queue), "cancelled", "idle", None),
    (end("expired"), "completed", "idle", None),
    (end("expired", finish), "completed", "idle", None),
    (end("expired", start), "failed", "idle", None),
    (end("expired", queue), "failed", "idle", None),
    (end("expired", drive), "failed", "idle", None),
]


@covers("status.table", "status.worker", "shared.everywhere")
async def test_every_state_has_its_words_and_lists_see_the_same(membrane: Membrane) -> None:
    world, client = membrane.world, membrane.seen_as()
    expected: dict[str, tuple[str, str]] = {}
    reached: set[SessionStatus | Activity] = set()
    for reach, status, state, agent in STATES:
        session = await world.new_session(NewSession(agent=agent))
        await reach(world, session)
        expected[session.hex] = (status, state)
        row = (await world.record(session)).session
        reached |= {row.status, row.activity}
    assert reached == {*SessionStatus, *Activity}
    assert {one["id"]: (one["status"], one["state"]) for one in (await client.page())["items"]} == expected
    for word in {status for status, _ in expected.values()}:
        found = await client.page(status=word)
        assert {one["id"] for one in found["items"]} == {id for id in expected if expected[id][0] == word}
        assert all(("error" in one) is (word == "failed") for one in found["items"])


@covers("status.expired")
async def test_a_session_whose_time_is_over_at_work_has_failed(membrane: Membrane) -> None:
    world, client = membrane.world, membrane.seen_as()
    policy = Policy(max_lifetime_seconds=60)
    at_work = await world.new_session(NewSession(policy=policy))
    await start(world, at_work)
    at_rest = await world.new_session(NewSession(policy=policy))
    await finish(world, at_rest)
    world.clock.advance(61)
    await world.services.upkeep.tick()
    # The token's time goes on with the world's.
    client = membrane.seen_as()
    failed, completed = await client.get(at_work.hex), await client.get(at_rest.hex)
    assert (failed["status"], failed["state"], completed["status"]) == ("failed", "idle", "completed")
    assert failed["error"]["message"] == "The session expired before its work was done."
    assert await client.ids(status="failed") == [at_work.hex]
    assert await client.ids(status="completed") == [at_rest.hex]
    await client.done("POST", f"/{at_work.hex}/message", json={"input": "x"})
    assert (await world.record(at_work)).session.ended_activity is None
