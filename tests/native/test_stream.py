"""The log as a stream, over real connections."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from uuid import UUID

import httpx
import pytest

from tests.native.asserting import new_input, new_session, problem, value
from tests.native.streaming import Frame, Frames, open_stream
from tests.web.served import BOUND_SECONDS, Served, listening, open_served


@pytest.fixture
async def url(served: Served) -> AsyncGenerator[str]:
    async with listening(served.app) as url:
        yield url


def seqs(frames: list[Frame]) -> list[int]:
    return [int(frame.id) for frame in frames if frame.id is not None]


async def eventually(url: str, condition: Callable[[], bool]) -> None:
    """Until the condition holds, with the server at work in between."""
    async with asyncio.timeout(BOUND_SECONDS), httpx.AsyncClient(base_url=url) as client:
        while not condition():
            await client.get("/health")


async def test_a_stream_replays_says_caught_up_and_goes_on_live(client: httpx.AsyncClient, url: str) -> None:
    session = (await new_session(client))["id"]
    async with open_stream(url, session) as frames:
        assert frames.response.headers["content-type"] == "text/event-stream"
        assert frames.response.headers["cache-control"] == "no-store"
        assert frames.response.headers["x-request-id"]
        created, caught_up = await frames.until("caught_up")
        assert (created.id, created.event) == ("1", "session.created")
        assert caught_up == Frame("caught_up", {"seq": 1}, None)
        await new_input(client, session)
        live = await frames.until("turn.queued")
    assert seqs(live) == [2, 3]
    page = value(await client.get(f"/sessions/{session}/events"))["data"]
    assert [created.data, *(frame.data for frame in live)] == page


async def test_the_last_event_id_wins_over_after(client: httpx.AsyncClient, url: str) -> None:
    session = (await new_session(client))["id"]
    await new_input(client, session)
    async with open_stream(url, session, query="?after=1") as frames:
        assert seqs(await frames.until("caught_up")) == [2, 3]
    async with open_stream(url, session, last_id="2", query="?after=0") as frames:
        assert seqs(await frames.until("caught_up")) == [3]
    async with open_stream(url, session, last_id="1000") as frames:
        assert seqs(await frames.until("caught_up")) == []


async def test_a_stream_of_nothing_is_refused_as_a_problem(client: httpx.AsyncClient, url: str) -> None:
    session = (await new_session(client))["id"]
    async with open_stream(url, session, token="wrong") as frames:
        await frames.response.aread()
    problem(frames.response, 401, "unauthenticated")


async def test_a_deleted_session_closes_its_streams(client: httpx.AsyncClient, url: str) -> None:
    session = (await new_session(client))["id"]
    async with open_stream(url, session) as frames:
        await frames.until("caught_up")
        await client.delete(f"/sessions/{session}")
        closing = (await frames.until("closing"))[-1]
        assert closing == Frame("closing", {"reason": "session_deleted"}, None)
        assert await frames.next() is None


async def test_at_shutdown_every_stream_says_so_and_ends(served: Served) -> None:
    session = (await new_session(served.client))["id"]
    streams: list[Frames] = []
    async with asyncio.TaskGroup() as tasks, listening(served.app) as url:
        caught_up = asyncio.Semaphore(0)

        async def follow() -> None:
            async with open_stream(url, session) as frames:
                await frames.until("caught_up")
                caught_up.release()
                assert (await frames.until("closing"))[-1].data == {"reason": "shutdown"}
                assert await frames.next() is None
                streams.append(frames)

        for _ in range(20):
            tasks.create_task(follow())
        for _ in range(20):
            await caught_up.acquire()
    assert len(streams) == 20


async def test_a_client_that_goes_leaves_nothing_behind(
    client: httpx.AsyncClient, served: Served, url: str
) -> None:
    session = (await new_session(client))["id"]
    async with open_stream(url, session) as frames, open_stream(url, session) as other:
        await frames.until("caught_up")
        await other.until("caught_up")
        assert list(served.services.hub.watched().values()) == [[UUID(session)]]
    await eventually(url, lambda: not served.services.hub.watched())


async def test_every_follower_sees_the_same_frames(client: httpx.AsyncClient, url: str) -> None:
    session = (await new_session(client))["id"]

    async def follow() -> list[Frame]:
        async with open_stream(url, session) as frames:
            return await frames.until("session.ended")

    async with asyncio.TaskGroup() as tasks:
        followers = [tasks.create_task(follow()) for _ in range(10)]
        for number in range(20):
            await new_input(client, session, f"message {number}")
        await client.post(f"/sessions/{session}/end")
    logs = [[frame for frame in follower.result() if frame.id is not None] for follower in followers]
    assert seqs(logs[0]) == list(range(1, len(logs[0]) + 1))
    assert all(log == logs[0] for log in logs)


async def test_an_answer_being_written_is_previewed_and_then_committed(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served, listening(served.app) as url:
        session = (await new_session(served.client))["id"]
        async with open_stream(url, session) as frames:
            await frames.until("caught_up")
            await new_input(served.client, session, "one two three")
            seen = await frames.until("turn.completed")
    called = next(frame for frame in seen if frame.event == "model.called")
    previews = [frame for frame in seen if frame.event == "preview"]
    completed = next(frame for frame in seen if frame.event == "message.completed")
    assert all(preview.id is None for preview in previews)
    assert {preview.data["message"] for preview in previews} == {called.data["data"]["message"]}
    offset = 0
    for preview in previews:
        assert preview.data["offset"] == offset
        offset += len(preview.data["text"])
    assert "".join(preview.data["text"] for preview in previews) == "echo: one two three"
    assert completed.data["data"]["text"] == "echo: one two three"


async def test_more_streams_than_an_organisation_may_have_are_refused_until_one_ends(tmp_path: Path) -> None:
    async with open_served(tmp_path, max_streams=2) as served, listening(served.app) as url:
        session = (await new_session(served.client))["id"]
        path = f"/sessions/{session}/events/stream"
        async with open_stream(url, session) as first, open_stream(url, session) as second:
            await first.until("caught_up")
            await second.until("caught_up")
            refused = await served.client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (429, "limit_exceeded")
            assert int(refused.headers["retry-after"]) > 0
            async with await served.other_org() as other:
                # Its own streams are counted apart: what it is told is that there is no such session.
                assert (await other.get(path)).status_code == 404
        # The server sees that a stream is gone a moment after its client has left.
        statuses = {429}
        async with asyncio.timeout(BOUND_SECONDS):
            while statuses == {429}:
                async with open_stream(url, session) as again:
                    statuses = {again.response.status_code}
        assert statuses == {200}
