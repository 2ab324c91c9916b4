import asyncio
import json
from typing import Any
from uuid import UUID

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ids import AgentId, SessionId
from sojourn.service.sessions import NewSession
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.sdk import Sdk
from tests.contract.everruns.surface import SOMEBODY, Everruns, Json, absent, id_of
from tests.contract.everruns.waits import ENDS, turn_over, until

STATUSES = {"started", "active", "idle", "waitingforinput", "failed"}
SLEEP = json.dumps([{"sleep": 60}])


async def agent(everruns: Everruns, name: str = "clerk", **said: Any) -> AgentId:
    return (await everruns.services.agents.create(everruns.org, AgentSpec(name=name, **said))).value.id


def base(id: AgentId) -> str:
    return f"/channels/{id_of('apichan', id)}"


def as_view(value: Any) -> Json:
    assert {"id", "status", "created_at", "updated_at"} <= set(value)
    assert set(value) <= {"id", "status", "created_at", "updated_at", "title", "last_turn_status"}
    assert value["status"] in STATUSES
    return value


async def start(everruns: Everruns, channel: str, **request: Any) -> Json:
    answer = await everruns.ask("POST", f"{channel}/sessions", **request)
    assert answer.status_code == 201, answer.text
    return as_view(answer.json())


def uuid_of(view: Json) -> SessionId:
    return SessionId(UUID(hex=view["id"][-32:]))


@covers("channel.id", "channel.card")
async def test_every_agent_is_a_channel_with_a_card(everruns: Everruns) -> None:
    id = await agent(everruns, description="Keeps the books")
    card = await everruns.read(base(id))
    place = f"/api/v1/channels/appchan_{id.hex}/sessions"
    assert card == {
        "name": "clerk",
        "description": "Keeps the books",
        "streaming": True,
        "input": {"text": True, "images": False, "files": False},
        "auth": [{"type": "agent_key"}],
        "links": {"sessions": place},
    }
    for other in (f"appchan_{id.hex}", f"agent_{id.hex}", "clerk"):
        assert await everruns.read(f"/channels/{other}") == card
    assert (await everruns.ask("GET", place)).status_code == 200


@covers("channel.order", "channel.org", "auth.raw")
async def test_a_channel_is_looked_for_after_the_key_and_before_its_liveness(everruns: Everruns) -> None:
    id = await agent(everruns)
    await everruns.services.agents.archive(everruns.org, id, True)
    for path in (base(id), f"{base(id)}/sessions", f"{base(id)}/sessions/{absent('session')}"):
        problem = await everruns.refused(403, "GET", path)
        assert (problem["code"], problem["detail"]) == ("agent_unavailable", "This agent is not available")
        await everruns.refused(401, "GET", path, headers={"authorization": "Bearer evr_ak_wrong"})
        problem = await (await everruns.other_org()).refused(404, "GET", path)
        assert problem["title"] == "Channel or session not found"
    for unknown in (absent("apichan"), "nobody", "apichan_x"):
        await everruns.refused(404, "GET", f"/channels/{unknown}")
    worker = await everruns.role("reporter")
    await worker.refused(403, "POST", "/channels/default/sessions", json={})
    await everruns.read("/channels/default", headers={"authorization": f"Bearer {everruns.key}"})


@covers("channel.create", "channel.metadata")
async def test_a_session_is_made_with_or_without_a_title(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    view = await start(everruns, channel, json={"title": "Order 42"})
    assert (view["title"], view["status"]) == ("Order 42", "started")
    answer = await everruns.ask("POST", f"{channel}/sessions")
    assert answer.status_code == 201
    assert "title" not in answer.json()
    assert (await everruns.ask("GET", answer.headers["location"])).json() == answer.json()
    whole = await everruns.read(f"/sessions/{view['id']}")
    assert whole["agent_id"] == channel.rpartition("/")[2].replace("apichan", "agent")
    wrongs: tuple[Any, ...] = ({"metadata": {}}, {"title": "x" * 201}, {"title": 5}, [])
    for wrong in wrongs:
        await everruns.refused(400, "POST", f"{channel}/sessions", json=wrong)


@covers("channel.idempotency", "channel.idempotency-wait")
async def test_a_repeated_create_makes_one_session_for_each_caller(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    headers = {"idempotency-key": "k"}
    answers = await asyncio.gather(
        *(everruns.ask("POST", f"{channel}/sessions", json={}, headers=headers) for _ in range(4))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert [answer.headers.get("idempotent-replayed") for answer in answers].count("true") == 3
    problem = await everruns.refused(422, "POST", f"{channel}/sessions", json={"title": "x"}, headers=headers)
    assert problem["code"] == "idempotency_key_reused"
    other = await start(everruns, channel, json={}, headers=headers | {"end-user": "bob"})
    assert other["id"] != answers[0].json()["id"]


@covers("channel.list")
async def test_the_most_recently_active_session_comes_first(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    made = [(await start(everruns, channel))["id"] for _ in range(5)]
    first = SessionId(uuid_of({"id": made[0]}))
    await everruns.send(first, "hello")
    await turn_over(everruns, first)
    await everruns.native()
    expected = [made[0], *reversed(made[1:])]
    page = await everruns.read(f"{channel}/sessions")
    assert [as_view(each)["id"] for each in page["data"]] == expected
    assert "next_page_token" not in page
    seen: list[str] = []
    query: dict[str, Any] = {"limit": 2}
    while True:
        page = await everruns.read(f"{channel}/sessions", params=query)
        seen += [each["id"] for each in page["data"]]
        if "next_page_token" not in page:
            break
        query["page_token"] = page["next_page_token"]
    assert seen == expected
    for wrong in ({"limit": 0}, {"limit": 201}, {"page_token": "x"}, {"limit": "x"}):
        await everruns.refused(400, "GET", f"{channel}/sessions", params=wrong)
    # A token is of one list.
    alice = {"end-user": "alice"}
    await everruns.refused(400, "GET", f"{channel}/sessions", params=query, headers=alice)


@covers("channel.session")
async def test_a_session_shows_how_its_last_turn_ended(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    view = await start(everruns, channel)
    assert "last_turn_status" not in view
    session, place = uuid_of(view), f"{channel}/sessions/{view['id']}"
    await everruns.send(session, "hello")
    seq = await turn_over(everruns, session)
    shown = as_view(await everruns.read(place))
    assert (shown["status"], shown["last_turn_status"]) == ("idle", "completed")
    await everruns.send(session, json.dumps([{"error": "fatal"}]))
    seq = await turn_over(everruns, session, seq)
    shown = as_view(await everruns.read(place))
    assert (shown["status"], shown["last_turn_status"]) == ("idle", "failed")
    await everruns.send(session, SLEEP)
    await until(everruns, session, "turn.started", after=seq)
    shown = as_view(await everruns.read(place))
    assert shown["status"] == "active"
    assert "last_turn_status" not in shown
    await everruns.services.sessions.end(everruns.org, session, "failed", None, SOMEBODY)
    assert (await everruns.read(place))["status"] == "failed"


@covers("channel.agent", "channel.every-session")
async def test_a_channel_has_every_session_of_its_agent_and_no_other(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    native = id_of("session", await everruns.native(NewSession(agent="clerk")))
    assert [each["id"] for each in (await everruns.read(f"{channel}/sessions"))["data"]] == [native]
    as_view(await everruns.read(f"{channel}/sessions/{native}"))
    for id in (id_of("session", await everruns.native()), absent("session"), "x", "session_x"):
        for path in ("", "/events", "/sse"):
            problem = await everruns.refused(404, "GET", f"{channel}/sessions/{id}{path}")
            assert problem["title"] == "Channel or session not found"


@covers("channel.end-user")
async def test_an_end_user_meets_no_session_of_another(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    alice = {"end-user": "alice"}
    hers = await start(everruns, channel, headers=alice)
    his = await start(everruns, channel, headers={"end-user": "bob"})
    nobodys = await start(everruns, channel)

    async def listed(headers: dict[str, str]) -> list[str]:
        page = await everruns.read(f"{channel}/sessions", headers=headers)
        return [each["id"] for each in page["data"]]

    assert await listed(alice) == [hers["id"]]
    assert await listed({}) == [nobodys["id"], his["id"], hers["id"]]
    for path in ("", "/events", "/sse"):
        for other in (his, nobodys):
            await everruns.refused(404, "GET", f"{channel}/sessions/{other['id']}{path}", headers=alice)
    await everruns.read(f"{channel}/sessions/{hers['id']}", headers=alice)
    for wrong in ("", "x" * 256, "a\tb"):
        await everruns.refused(400, "GET", f"{channel}/sessions", headers={"end-user": wrong})


def text(said: str) -> Json:
    return {"message": {"role": "user", "content": [{"type": "text", "text": said}]}}


@covers("channel.send", "channel.idempotency")
async def test_a_message_starts_a_turn_or_steers_it(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    view = await start(everruns, channel)
    session, place = uuid_of(view), f"{channel}/sessions/{view['id']}"

    async def send(said: str, **headers: str) -> Any:
        answer = await everruns.ask("POST", f"{place}/messages", json=text(said), headers=headers)
        assert answer.status_code == 201, answer.text
        return answer

    first = (await send(SLEEP)).json()
    assert (first["role"], first["delivery"]) == ("user", "started")
    assert first["content"] == [{"type": "text", "text": SLEEP}]
    await until(everruns, session, "turn.started")
    answers = [await send("more", **{"idempotency-key": "k"}) for _ in range(2)]
    assert [answer.json()["delivery"] for answer in answers] == ["steered", "duplicate"]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].headers["idempotent-replayed"] == "true"
    headers = {"idempotency-key": "k"}
    problem = await everruns.refused(422, "POST", f"{place}/messages", json=text("other"), headers=headers)
    assert problem["code"] == "idempotency_key_reused"
    image: Json = {"message": {"content": [{"type": "image", "url": "https://example.com/a.png"}]}}
    wrongs: tuple[Any, ...] = (image, {"message": {"content": []}}, {}, {"message": {"role": "system"}})
    for wrong in wrongs:
        await everruns.refused(400, "POST", f"{place}/messages", json=wrong)
    whole = text("x") | {"controls": {"model_id": "nothing"}, "tags": ["ignored"]}
    answer = await everruns.ask("POST", f"{place}/messages", json=whole)
    assert answer.status_code == 201
    assert "tags" not in answer.json()


@covers("channel.cancel")
async def test_the_running_turn_is_cancelled(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    view = await start(everruns, channel)
    session, place = uuid_of(view), f"{channel}/sessions/{view['id']}"
    answer = await everruns.ask("POST", f"{place}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "no_op")
    await everruns.send(session, SLEEP)
    answer = await everruns.ask("POST", f"{place}/cancel")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    await turn_over(everruns, session)
    shown = await everruns.read(place)
    assert (shown["status"], shown["last_turn_status"]) == ("idle", "cancelled")


@covers("channel.client", "channel.stopped")
async def test_the_vendors_agent_client_talks_to_an_agent(everruns: Everruns, sdk: Sdk) -> None:
    id = await agent(everruns, description="Keeps the books")
    lived = await sdk.lives("vendor_channels.py", f"apichan_{id.hex}", SLEEP)
    assert lived["card"] == ["clerk", "Keeps the books", True]
    assert lived["reply"] == "echo: hello"
    assert lived["again"] == "echo: and again"
    assert lived["repeated"]
    assert lived["status"] == ["idle", "completed"]
    assert lived["listed"] == [2, 1, 1]
    assert lived["mine"] == [1, 1]
    assert lived["hidden"] == ["NotFoundError", 404]
    assert lived["events"][0] == lived["streamed"][0]
    assert "turn.completed" in lived["streamed"]
    assert lived["failed"] == "turn failed: cancelled: Work was cancelled by user."
    assert lived["token"] == ["ApiError", 403]
    assert lived["wrong"] == ["AuthenticationError", 401]


@covers("channel.events")
async def test_events_are_paged_forward_until_there_are_none(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    view = await start(everruns, channel)
    session = uuid_of(view)
    seq = 0
    for text in ("one", "two", "three"):
        await everruns.send(session, text)
        seq = await turn_over(everruns, session, seq)
    place = f"{channel}/sessions/{view['id']}/events"
    everything = (await everruns.read(place, params={"limit": 500}))["data"]
    assert [event["type"] for event in everything].count("turn.completed") == 3
    paged: list[Json] = []
    while page := (
        await everruns.read(
            place, params={"limit": 3, "after_sequence": paged[-1]["sequence"] if paged else 0}
        )
    )["data"]:
        assert len(page) <= 3
        paged += page
    assert paged == everything
    assert (await everruns.read(place))["data"] == everything
    for wrong in ({"limit": 0}, {"limit": 501}, {"after_sequence": -1}, {"after_sequence": "x"}):
        await everruns.refused(400, "GET", place, params=wrong)


async def streamed(everruns: Everruns, path: str, last: str) -> list[Json]:
    """The events of a stream until one of the type `last`."""
    events: list[Json] = []
    headers = {"authorization": f"Bearer {everruns.key}"}
    async with asyncio.timeout(20), everruns.http.stream("GET", "/v1" + path, headers=headers) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        async for line in answer.aiter_lines():
            if line.startswith("data: ") and "id" in (data := json.loads(line[6:])):
                events.append(data)
                if data["type"] == last:
                    break
    return events


@covers("channel.sse")
async def test_the_stream_goes_on_behind_what_a_client_has(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    view = await start(everruns, channel)
    session, place = uuid_of(view), f"{channel}/sessions/{view['id']}/sse"
    await everruns.send(session, "hello")
    events = await streamed(everruns, f"{place}?after_sequence=0", "session.idled")
    assert "output.message.completed" in [event["type"] for event in events]
    stored = [event for event in events if "sequence" in event]
    behind = stored[3]
    for cursor in (f"since_id={behind['id']}", f"after_sequence={behind['sequence']}"):
        rest = await streamed(everruns, f"{place}?{cursor}", "session.idled")
        assert [event["id"] for event in rest if "sequence" in event] == [each["id"] for each in stored[4:]]
    both = f"{place}?since_id={behind['id']}&after_sequence=3"
    await everruns.refused(400, "GET", both)


@covers("channel.stopped")
@pytest.mark.parametrize("path", ["events", "sse"])
async def test_a_cancelled_turn_is_told_as_failed_too(everruns: Everruns, path: str) -> None:
    channel = base(await agent(everruns))
    view = await start(everruns, channel)
    session, place = uuid_of(view), f"{channel}/sessions/{view['id']}"
    await everruns.send(session, SLEEP)
    seq = await until(everruns, session, "turn.started")
    assert (await everruns.services.turns.interrupt(everruns.org, session, SOMEBODY)).value
    await until(everruns, session, *ENDS, after=seq)
    if path == "sse":
        events = await streamed(everruns, f"{place}/sse?after_sequence=0", "session.idled")
    else:
        events = (await everruns.read(f"{place}/events"))["data"]
    types = [event["type"] for event in events]
    assert types.index("turn.cancelled") < types.index("turn.failed") < types.index("session.idled")
    failed = events[types.index("turn.failed")]["data"]
    assert failed["error_code"] == "cancelled"
    plain = (await everruns.read(f"/sessions/{view['id']}/events"))["data"]
    assert "turn.failed" not in [event["type"] for event in plain]


@covers("channel.runtime-auth")
async def test_no_runtime_token_is_issued(everruns: Everruns) -> None:
    channel = base(await agent(everruns))
    await everruns.refused(400, "POST", f"{channel}/runtime-auth")
    problem = await everruns.refused(403, "POST", f"{channel}/runtime-auth", headers={"end-user": "alice"})
    assert problem["code"] == "runtime_tokens_unavailable"
