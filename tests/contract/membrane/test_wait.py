"""The long poll."""

import asyncio

import pytest

from sojourn.service.sessions import NewSession
from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import SESSIONS, Membrane, of
from tests.support.world import SOMEBODY
from tests.web.served import BOUND_SECONDS


async def watched(membrane: Membrane, session: str) -> None:
    """Return once somebody follows the session's feed."""
    async with asyncio.timeout(BOUND_SECONDS):
        while of(session) not in membrane.world.services.hub.watched().get(membrane.world.org, ()):
            await breath()


async def breath() -> None:
    """Let the loop's other callbacks go first."""
    loop = asyncio.get_running_loop()
    turn = loop.create_future()
    loop.call_soon(turn.set_result, None)
    await turn


@covers("wait.idle")
async def test_a_poll_is_answered_when_the_turn_is_over(membrane: Membrane) -> None:
    id = (await membrane.make())["id"]
    turn = await membrane.world.claim(of(id))
    polls = [asyncio.create_task(membrane.get(id, wait=word, timeout=60)) for word in ("true", "1", "yes")]
    await watched(membrane, id)
    await membrane.world.services.turns.settle(turn, [])
    async with asyncio.timeout(BOUND_SECONDS):
        answers = await asyncio.gather(*polls)
    assert [(one["status"], one["state"]) for one in answers] == [("running", "idle")] * 3
    assert membrane.world.services.hub.watched() == {}


@covers("wait.idle", "wait.bool")
@pytest.mark.parametrize("wait", ["true", "false", "0", "", "1"])
async def test_an_idle_session_is_answered_at_once(on_sqlite: Membrane, wait: str) -> None:
    id = (await on_sqlite.make())["id"]
    await on_sqlite.settle(id)
    async with asyncio.timeout(BOUND_SECONDS):
        assert (await on_sqlite.get(id, wait=wait, timeout=60))["state"] == "idle"
        await on_sqlite.done("PATCH", f"/{id}/stop")
        assert (await on_sqlite.get(id, wait=wait, timeout=60))["status"] == "cancelled"
        never_ran = await on_sqlite.world.new_session(NewSession())
        assert (await on_sqlite.seen_as().get(never_ran.hex, wait=wait))["state"] == "idle"


@covers("wait.bool")
@pytest.mark.parametrize("wait", ["false", "0", "", None])
async def test_a_get_that_does_not_wait_is_answered_at_once(on_sqlite: Membrane, wait: str | None) -> None:
    id = (await on_sqlite.make())["id"]
    async with asyncio.timeout(BOUND_SECONDS):
        query = {} if wait is None else {"wait": wait}
        assert (await on_sqlite.get(id, **query, timeout=60))["state"] == "busy"


@covers("wait.timeout")
async def test_a_poll_that_sees_nothing_happen_is_answered_all_the_same(on_sqlite: Membrane) -> None:
    id = (await on_sqlite.make())["id"]
    async with asyncio.timeout(BOUND_SECONDS):
        assert (await on_sqlite.get(id, wait="1", timeout=1))["state"] == "busy"
    assert on_sqlite.world.services.hub.watched() == {}


@covers("wait.bounds")
@pytest.mark.parametrize("seconds", ["0", "61", "5.5", "abc", "", "-1"])
async def test_a_timeout_outside_of_its_bounds_is_refused(on_sqlite: Membrane, seconds: str) -> None:
    id = (await on_sqlite.make())["id"]
    failure = await on_sqlite.refused(400, "GET", f"/{id}", params={"wait": "1", "timeout": seconds})
    assert failure["data"]["issues"][0]["path"] == ["timeout"]


@covers("wait.idle")
async def test_a_poll_ends_with_the_session_and_with_the_server(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    stopped, deleted, left = [(await on_sqlite.make())["id"] for _ in range(3)]
    polls = {
        id: asyncio.create_task(on_sqlite.ask("GET", f"/{id}", params={"wait": "1", "timeout": 60}))
        for id in (stopped, deleted, left)
    }
    for id in polls:
        await watched(on_sqlite, id)
    await on_sqlite.done("PATCH", f"/{stopped}/stop")
    await world.services.sessions.delete(world.org, of(deleted), SOMEBODY)
    async with asyncio.timeout(BOUND_SECONDS):
        assert (await polls[stopped]).json()["status"] == "cancelled"
        assert (await polls[deleted]).json()["key"] == "not_found"
        world.services.hub.close()
        assert (await polls[left]).json()["state"] == "busy"


@covers("wait.gone")
async def test_a_client_that_leaves_leaves_nothing_behind(on_sqlite: Membrane) -> None:
    id = (await on_sqlite.make())["id"]
    gone = asyncio.Event()

    async def receive() -> dict[str, str]:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        raise AssertionError(f"nobody is there to be told {message}")

    path = f"{SESSIONS}/{id}"
    scope = {
        "type": "http",
        "method": "GET",
        "raw_path": path.encode(),
        "path": path,
        "query_string": b"wait=1&timeout=60",
        "headers": [(b"authorization", b"Bearer " + on_sqlite.token.encode())],
    }
    poll = asyncio.create_task(on_sqlite.app(scope, receive, send))
    await watched(on_sqlite, id)
    gone.set()
    async with asyncio.timeout(BOUND_SECONDS):
        await poll
    assert on_sqlite.world.services.hub.watched() == {}
