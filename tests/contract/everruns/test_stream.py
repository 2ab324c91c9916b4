import asyncio
from contextlib import aclosing
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx2
import pytest

from sojourn.domain.ids import SessionId
from sojourn.web.dialects.everruns.log import cursors
from sojourn.web.dialects.everruns.log.reading import Log
from tests.contract.everruns.conftest import everruns_app
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import BOUND_SECONDS, Everruns, Frame, absent, as_event, as_problem
from tests.web.served import listening, loopback

WORDS = " ".join(f"word{number}" for number in range(200))


async def frames(everruns: Everruns, id: str, until: str, times: int = 1, **query: Any) -> list[Frame]:
    """The frames of a stream up to the so many-th of a type."""
    found: list[Frame] = []
    async with asyncio.timeout(BOUND_SECONDS), aclosing(everruns.stream(id, **query)) as stream:
        async for frame in stream:
            found.append(frame)
            times -= frame.event == until
            if not times:
                return found
    raise AssertionError(f"the stream ended after {[frame.event for frame in found]}")


async def watched(everruns: Everruns, id: str, text: str, **query: Any) -> list[Frame]:
    """What a stream shows that was open before the message was sent."""
    connected = asyncio.Event()

    async def watch() -> list[Frame]:
        found: list[Frame] = []
        async with aclosing(everruns.stream(id, **query)) as stream:
            async for frame in stream:
                found.append(frame)
                connected.set()
                if frame.event == "session.idled":
                    break
        return found

    async with asyncio.timeout(BOUND_SECONDS):
        watching = asyncio.create_task(watch())
        await connected.wait()
        await everruns.play(id, {"say": text})
        return await watching


@covers("sse.framing", "sse.replay", "sse.event-shape")
async def test_a_stream_without_a_cursor_replays_what_it_missed(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.play(id, {"say": "hello"})
    events = await everruns.until(id, "session.idled")
    connected, *found = await frames(everruns, id, "session.idled")
    assert (connected.event, connected.data, connected.id) == ("connected", {"status": "connected"}, None)
    assert [frame.data for frame in found] == events
    for frame in found:
        as_event(frame.data)
        assert frame.event == frame.data["type"]
        assert frame.id == frame.data["id"]
        assert None not in frame.data.values()
    assert {frame.retry for frame in (connected, *found)} == {"100"}


@covers("sse.deltas")
async def test_deltas_carry_the_text_so_far_and_are_in_no_log(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    found = await watched(everruns, id, WORDS)
    deltas = [frame for frame in found if frame.event == "output.message.delta"]
    assert deltas
    assert "".join(frame.data["data"]["delta"] for frame in deltas) == WORDS
    assert deltas[-1].data["data"]["accumulated"] == WORDS
    text = ""
    for frame in deltas:
        text += frame.data["data"]["delta"]
        assert frame.data["data"]["accumulated"] == text
        assert frame.id is None
        assert "sequence" not in frame.data
    ids = [frame.data["id"] for frame in found[1:]]
    assert ids == sorted(set(ids))
    started = next(frame for frame in found if frame.event == "output.message.started")
    assert deltas[0].data["data"]["message_id"] == started.data["data"]["message_id"]
    assert deltas[0].data["data"]["turn_id"] == started.data["data"]["turn_id"]
    assert "output.message.delta" not in [event["type"] for event in await everruns.events(id)]


@covers("sse.resume", "sse.last-event-id")
async def test_a_stream_resumes_behind_any_event_and_behind_a_delta(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    found = await watched(everruns, id, WORDS)
    events = await everruns.events(id)
    for frame in found[1:-1]:
        again = await frames(everruns, id, "session.idled", since_id=frame.data["id"])
        behind = [one for one in events if one["id"] > frame.data["id"]]
        assert [one.data for one in again[1:]] == behind
    by_sequence = await frames(everruns, id, "session.idled", after_sequence=events[3]["sequence"])
    assert [frame.data for frame in by_sequence[1:]] == events[4:]
    headers = {"last-event-id": events[5]["id"]}
    resumed = await frames(everruns, id, "session.idled", since_id=events[0]["id"], headers=headers)
    assert [frame.data for frame in resumed[1:]] == events[6:]


@covers("sse.resume")
async def test_a_client_that_has_everything_hears_only_what_is_new(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.play(id, {"say": "one"})
    events = await everruns.until(id, "session.idled")
    found = await watched(everruns, id, "two", since_id=events[-1]["id"], exclude="output.message.delta")
    assert [frame.data for frame in found[1:]] == (await everruns.events(id))[len(events) :]


@covers("sse.idle")
async def test_connecting_to_an_idle_session_reads_no_more_than_its_last_turn(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    for turns in range(1, 6):
        await everruns.say(id, "hello")
        events = await everruns.until(id, "session.idled", times=turns)
        record = await everruns.services.sessions.get(everruns.org, SessionId(UUID(id[8:])))
        start = await Log(everruns.services.feed, record).turn_start(cursors.seq_of(events[-1]["sequence"]))
        turn = [event for event in events if cursors.seq_of(event["sequence"]) >= start]
        assert [event["type"] for event in turn].count("turn.started") == 1


@covers("sse.filters")
async def test_types_narrow_a_stream_and_exclude_takes_away(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    query = {"types": ["turn.started", "turn.completed", "session.idled"], "exclude": ["turn.started"]}
    found = await watched(everruns, id, "hello", **query)
    assert [frame.event for frame in found] == ["connected", "turn.completed", "session.idled"]
    for bad in ({"types": "nonsense"}, {"since_id": "x"}, {"after_sequence": 1, "since_id": absent("event")}):
        await everruns.refused(400, "GET", f"/sessions/{id}/sse", params=bad)


@covers("sse.cycle")
async def test_a_stream_is_cycled_with_a_word_to_come_back(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    app = everruns_app(everruns.services, cycle_seconds=0.05)
    async with listening(app) as url, httpx2.AsyncClient(base_url=url) as http:
        found = [frame async for frame in replace(everruns, http=http).stream(id)]
    assert [frame.event for frame in found] == ["connected", "session.started", "disconnecting"]
    assert found[-1].data == {"reason": "connection_cycle", "retry_ms": 100}


@covers("sse.shutdown")
async def test_a_server_that_stops_says_so(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    found: list[Frame] = []
    connected = asyncio.Event()

    async def watch(everruns: Everruns) -> None:
        async for frame in everruns.stream(id):
            found.append(frame)
            connected.set()

    async with httpx2.AsyncClient() as http, asyncio.timeout(BOUND_SECONDS):
        async with loopback(everruns_app(everruns.services)) as server:
            http.base_url = httpx2.URL(server.url)
            watching = asyncio.create_task(watch(replace(everruns, http=http)))
            await connected.wait()
        await watching
    assert found[-1] == Frame("disconnecting", {"reason": "shutdown", "retry_ms": 100}, None, "100")


@covers("sse.deleted")
async def test_the_stream_of_a_deleted_session_ends_and_is_not_found_again(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    async with asyncio.timeout(BOUND_SECONDS), aclosing(everruns.stream(id)) as stream:
        assert (await anext(stream)).event == "connected"
        assert (await anext(stream)).event == "session.started"
        await everruns.ask("DELETE", f"/sessions/{id}")
        assert [frame.event async for frame in stream] == ["disconnecting"]
    as_problem(await everruns.ask("GET", f"/sessions/{id}/sse"), 404)


@covers("sse.resume")
@pytest.mark.parametrize("steps", [1, 3])
async def test_a_stream_that_is_cut_over_and_over_loses_and_doubles_nothing(
    everruns: Everruns, steps: int
) -> None:
    """The client takes so many frames of each connection and then drops it."""
    id = (await everruns.make())["id"]
    await everruns.play(id, {"call": {"name": "current_time", "arguments": {}}}, {"say": WORDS})
    seen: list[str] = []
    last: dict[str, Any] = {}
    async with asyncio.timeout(BOUND_SECONDS):
        while not seen or seen[-1] != "session.idled":
            async with aclosing(everruns.stream(id, **last)) as stream:
                taken = 0
                async for frame in stream:
                    if frame.event == "connected":
                        continue
                    if frame.event != "output.message.delta":
                        seen.append(frame.event)
                    last = {"since_id": frame.data["id"]}
                    taken += 1
                    if taken == steps or frame.event == "session.idled":
                        break
    assert seen == [event["type"] for event in await everruns.events(id)]
