"""Client tools over HTTP, from the session that has one to the answer that the model reads."""

import asyncio
import json
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from sojourn.domain.ids import DEFAULT_ORG, SessionId
from sojourn.domain.log import StoredEvent
from tests.native.asserting import NOWHERE, is_uuid, new_input, new_session, problem, value
from tests.web.served import BOUND_SECONDS, Served, open_served

LOOK: dict[str, Any] = {
    "name": "look",
    "description": "Looks.",
    "parameters": {"type": "object", "properties": {}},
}
CALLS = '[{"call": [{"name": "look", "arguments": {"at": "sky"}}, {"name": "look"}]}, {"say": "blue"}]'


async def until(served: Served, session: str, type: str) -> None:
    """Return once the log holds an event of that type."""
    feed = await served.services.feed.follow(DEFAULT_ORG, SessionId(UUID(session)), 0)
    async with asyncio.timeout(BOUND_SECONDS):
        async for item in feed:
            if isinstance(item, StoredEvent) and item.type == type:
                return


async def waiting(served: Served) -> tuple[str, list[dict[str, Any]]]:
    """A session whose turn waits for two calls of `look`, and their asks."""
    overlay = {"model": "sim/script", "client_tools": [LOOK]}
    session = await new_session(served.client, overlay=overlay)
    await new_input(served.client, session["id"], CALLS)
    await until(served, session["id"], "turn.waiting")
    return session["id"], value(await served.client.get(f"/sessions/{session['id']}/asks"))["data"]


async def test_a_client_tool_is_asked_for_and_answered_over_http(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        client = served.client
        session, asks = await waiting(served)
        first, second = asks
        place = f"/sessions/{session}/asks/{first['id']}"
        assert value(await client.get(place)) == first
        assert is_uuid(first["id"])
        assert (first["kind"], first["status"], first["session"]) == ("client_tool", "open", session)
        prompt = first["prompt"]
        assert (prompt["tool_call_id"], prompt["name"], prompt["arguments"]) == (
            "sim-1-1",
            "look",
            {"at": "sky"},
        )
        decided = value(await client.post(f"{place}/decide", json={"decision": "answer", "answer": [1]}))
        assert (decided["id"], decided["status"]) == (first["id"], "decided")
        assert value(await client.get(f"/sessions/{session}/asks"))["data"] == [second]
        decisions = [{"tool_call_id": "sim-1-2", "decision": "answer", "error": "too dark"}]
        several = await client.post(f"/sessions/{session}/asks/decide", json={"decisions": decisions})
        assert [ask["id"] for ask in value(several)["data"]] == [second["id"]]
        await until(served, session, "turn.completed")
        types = {"type": ["tool.completed", "message.completed"]}
        events = value(await client.get(f"/sessions/{session}/events", params=types))["data"]
        results = [event["data"] for event in events if event["type"] == "tool.completed"]
        assert [(one["status"], one["output"]) for one in results] == [("done", "[1]"), ("error", "too dark")]
        assert events[-1]["data"]["text"] == "blue"


async def test_asks_are_listed_by_status_and_in_pages(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        client = served.client
        session, asks = await waiting(served)
        place = f"/sessions/{session}/asks"
        page = value(await client.get(place, params={"limit": 1}))
        assert page["data"] == asks[:1]
        rest = value(await client.get(place, params={"limit": 1, "cursor": page["next_cursor"]}))
        assert (rest["data"], rest["next_cursor"]) == (asks[1:], None)
        problem(
            await client.get(place, params={"status": "any", "cursor": page["next_cursor"]}),
            400,
            "invalid_request",
            "cursor",
        )
        value(await client.post(f"{place}/{asks[0]['id']}/decide", json={"decision": "deny"}))
        every = value(await client.get(place, params={"status": "any"}))["data"]
        assert [(ask["id"], ask["status"]) for ask in every] == [
            (asks[0]["id"], "decided"),
            (asks[1]["id"], "open"),
        ]


async def test_a_repeated_decision_is_recognised_and_another_one_is_too_late(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        client = served.client
        session, asks = await waiting(served)
        place = f"/sessions/{session}/asks/{asks[0]['id']}/decide"
        for replayed in (None, "true"):
            answer = await client.post(place, json={"decision": "deny"}, headers={"Idempotency-Key": "one"})
            assert value(answer)["status"] == "decided"
            assert answer.headers.get("idempotent-replayed") == replayed
        problem(await client.post(place, json={"decision": "deny"}), 409, "wrong_state")


async def test_an_unknown_call_is_refused_and_nothing_is_decided(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        client = served.client
        session, asks = await waiting(served)
        decisions = [{"tool_call_id": id, "decision": "deny"} for id in ("sim-1-1", "sim-9")]
        place = f"/sessions/{session}/asks"
        refused = await client.post(f"{place}/decide", json={"decisions": decisions})
        assert "sim-9" in problem(refused, 404, "not_found")["detail"]
        assert value(await client.get(place))["data"] == asks
        twice = {"decisions": [decisions[0], decisions[0]]}
        problem(
            await client.post(f"{place}/decide", json=twice),
            422,
            "invalid_request",
            "decisions.1.tool_call_id",
        )


DEEP: Any = json.loads("[" * 70 + "]" * 70)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "decision"),
        ({"decision": "maybe"}, "decision"),
        ({"decision": "allow"}, "decision"),
        ({"decision": "deny", "error": "no"}, "error"),
        ({"decision": "answer", "answer": 1, "error": "no"}, "error"),
        ({"decision": "answer", "answer": DEEP}, "answer"),
        ({"decision": "answer", "answer": "long" * 300_000}, "answer"),
        ({"decision": "answer", "other": 1}, "other"),
    ],
)
async def test_a_decision_that_cannot_be_is_refused(tmp_path: Path, body: dict[str, Any], field: str) -> None:
    async with open_served(tmp_path) as served:
        session, asks = await waiting(served)
        place = f"/sessions/{session}/asks/{asks[0]['id']}"
        problem(await served.client.post(f"{place}/decide", json=body), 422, "invalid_request", field)
        assert value(await served.client.get(place))["status"] == "open"


async def test_asks_of_others_are_not_found(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        session, asks = await waiting(served)
        place, one = f"/sessions/{session}/asks", {"decision": "deny"}
        async with await served.other_org() as stranger:
            for path in (place, f"{place}/{asks[0]['id']}"):
                problem(await stranger.get(path), 404, "not_found")
            for path in (f"{place}/{asks[0]['id']}/decide", f"{place}/decide"):
                body = (
                    one if path != f"{place}/decide" else {"decisions": [{"tool_call_id": "sim-1-1", **one}]}
                )
                problem(await stranger.post(path, json=body), 404, "not_found")
        problem(await served.client.get(f"{place}/{NOWHERE}"), 404, "not_found")
        async with await served.other_role("reporter") as worker:
            decide = f"{place}/{asks[0]['id']}/decide"
            problem(await worker.post(decide, json={"decision": "deny"}), 403, "forbidden")


OVERLAY: dict[str, Any] = {
    "instructions": "Be brief.",
    "model": "sim/echo",
    "tools": ["files"],
    "client_tools": [LOOK],
    "tool_policy": {"*": "ask", "read_file": "allow"},
    "ask_timeout_seconds": 60.0,
    "on_ask_expire": "keep",
    "capabilities": {},
    "max_model_calls": 7,
}


async def test_what_a_session_adds_to_its_agent_is_shown_replaced_and_taken_away(
    client: httpx.AsyncClient,
) -> None:
    session = await new_session(client, overlay=OVERLAY)
    place = f"/sessions/{session['id']}"
    assert session["overlay"] == OVERLAY
    assert value(await client.get(place))["overlay"] == OVERLAY
    assert value(await client.get("/sessions"))["data"][0]["overlay"] == OVERLAY
    assert value(await client.patch(place, json={"title": "new"}))["overlay"] == OVERLAY
    changed = value(await client.patch(place, json={"overlay": {"instructions": "Be long."}}))
    assert changed["overlay"] == {
        "instructions": "Be long.",
        "model": None,
        "tools": [],
        "client_tools": [],
        "tool_policy": {},
        "ask_timeout_seconds": None,
        "on_ask_expire": None,
        "capabilities": {},
        "max_model_calls": None,
    }
    (event,) = value(await client.get(f"{place}/events", params={"type": "session.updated", "after": 2}))[
        "data"
    ]
    assert event["data"]["changes"]["overlay"]["instructions"] == "Be long."
    assert value(await client.patch(place, json={"overlay": None}))["overlay"] is None
    assert (await new_session(client, overlay={}))["overlay"] is None
    assert (await new_session(client))["overlay"] is None


@pytest.mark.parametrize(
    ("overlay", "field"),
    [
        ({"tools": ["files", "telepathy"]}, "overlay.tools.1"),
        ({"client_tools": [LOOK, LOOK]}, "overlay.client_tools.1.name"),
        ({"client_tools": [{"name": "two words"}]}, "overlay.client_tools.0.name"),
        (
            {"client_tools": [{"name": "a", "parameters": {"type": "array"}}]},
            "overlay.client_tools.0.parameters.type",
        ),
        (
            {"client_tools": [{"name": "a", "parameters": {"properties": {"b": 1}}}]},
            "overlay.client_tools.0.parameters.properties.b",
        ),
        ({"client_tools": [{"name": "a", "colour": 1}]}, "overlay.client_tools.0.colour"),
        ({"instructions": "x" * 300_000}, "overlay"),
        ({"spell": "abracadabra"}, "overlay.spell"),
        ({"tool_policy": {"look": "maybe"}}, "overlay.tool_policy.*"),
        ({"ask_timeout_seconds": 0}, "overlay.ask_timeout_seconds"),
    ],
)
async def test_an_overlay_that_no_turn_could_run_with_is_refused(
    client: httpx.AsyncClient, overlay: dict[str, Any], field: str
) -> None:
    place = f"/sessions/{(await new_session(client))['id']}"
    session = value(await client.get(place))
    problem(await client.post("/sessions", json={"overlay": overlay}), 422, "invalid_request", field)
    problem(await client.patch(place, json={"overlay": overlay}), 422, "invalid_request", field)
    assert value(await client.get(place)) == session


async def test_an_agent_has_client_tools_of_its_own(client: httpx.AsyncClient) -> None:
    bare = {"name": "nod"}
    agent = value(await client.post("/agents", json={"name": "clerk", "client_tools": [LOOK, bare]}), 201)
    nod: dict[str, Any] = {
        "name": "nod",
        "description": "",
        "parameters": {"type": "object", "properties": {}},
    }
    assert agent["client_tools"] == [LOOK, nod]
    place = f"/agents/{agent['id']}"
    assert value(await client.patch(place, json={"instructions": "new"}))["client_tools"] == [LOOK, nod]
    assert value(await client.patch(place, json={"client_tools": []}))["client_tools"] == []
    twice = await client.post("/agents", json={"name": "other", "client_tools": [LOOK, LOOK]})
    problem(twice, 422, "invalid_request", "client_tools.1.name")


async def test_a_tool_is_allowed_for_good_over_http(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        client = served.client
        overlay = {"model": "sim/script", "tools": ["current_time"], "tool_policy": {"current_time": "ask"}}
        session = (await new_session(client, overlay=overlay))["id"]
        look: dict[str, Any] = {"call": {"name": "current_time"}}
        await new_input(client, session, json.dumps([look, look, {"say": "late"}]))
        await until(served, session, "turn.waiting")
        (ask,) = value(await client.get(f"/sessions/{session}/asks"))["data"]
        assert ask["kind"] == "approval"
        place = f"/sessions/{session}/asks/{ask['id']}/decide"
        wrong = {"decision": "allow", "answer": "yes"}
        problem(await client.post(place, json=wrong), 422, "invalid_request", "answer")
        body: dict[str, Any] = {"decision": "allow", "answer": {"arguments": {}}, "always": True}
        assert value(await client.post(place, json=body))["status"] == "decided"
        await until(served, session, "turn.completed")
        rules = value(await client.get(f"/sessions/{session}"))["overlay"]["tool_policy"]
        assert rules == {"current_time": "allow"}


async def test_an_agent_has_rules_of_its_own(client: httpx.AsyncClient) -> None:
    rules: dict[str, Any] = {
        "tool_policy": {"*": "ask"},
        "ask_timeout_seconds": 5.0,
        "on_ask_expire": "allow",
    }
    agent = value(await client.post("/agents", json={"name": "clerk", **rules}), 201)
    place = f"/agents/{agent['id']}"
    kept = value(await client.patch(place, json={"instructions": "new"}))
    assert {name: kept[name] for name in rules} == rules
    changes: dict[str, Any] = {"tool_policy": {}, "ask_timeout_seconds": None, "on_ask_expire": "deny"}
    changed = value(await client.patch(place, json=changes))
    assert {name: changed[name] for name in changes} == changes


async def test_an_ask_says_what_becomes_of_it_when_nobody_decides(tmp_path: Path) -> None:
    timed = {"rule": "ask", "timeout_seconds": 60.0, "on_expire": "allow"}
    rules = {"current_time": timed, "list_files": {**timed, "on_expire": "keep"}}
    overlay = {"model": "sim/script", "tools": ["current_time", "files"], "tool_policy": rules}
    calls = '[{"call": [{"name": "current_time"}, {"name": "list_files"}]}]'
    async with open_served(tmp_path) as served:
        session = (await new_session(served.client, overlay=overlay))["id"]
        await new_input(served.client, session, calls)
        await until(served, session, "turn.waiting")
        timed, kept = value(await served.client.get(f"/sessions/{session}/asks"))["data"]
        assert (timed["on_expire"], kept["on_expire"], kept["expires_at"]) == ("allow", "keep", None)
        assert timed["expires_at"] > timed["created_at"]
