"""The catalogue over HTTP, and agents and sessions that are given what is in it, or are refused what is not."""

import json
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest

from tests.native.asserting import problem, value
from tests.runners.http.sessions import ended, said, say
from tests.web.served import open_served

NO_CONFIG: dict[str, Any] = {}
FILES: dict[str, Any] = {"kind": "files", "config": NO_CONFIG}


async def test_the_catalogue_tells_of_each_kind_what_it_brings(client: httpx.AsyncClient) -> None:
    kinds = {kind["name"]: kind for kind in value(await client.get("/capabilities"))["data"]}
    assert kinds["files"]["tools"] == ["write_file", "read_file", "list_files"]
    assert kinds["files"]["available"]
    assert {"ask_user", "current_time", "fetch", "sessions", "todo"} < kinds.keys()
    for name, kind in kinds.items():
        jsonschema.Draft202012Validator.check_schema(kind["config_schema"])
        assert kind["description"]
        assert value(await client.get(f"/capabilities/{name}")) == kind
    problem(await client.get("/capabilities/nothing"), 404, "not_found")


async def test_an_agents_capabilities_are_pinned_with_its_version(client: httpx.AsyncClient) -> None:
    agent = value(await client.post("/agents", json={"name": "clerk", "capabilities": {"own": FILES}}), 201)
    assert agent["capabilities"] == {"own": FILES}
    place = f"/agents/{agent['id']}"
    value(await client.patch(place, json={"capabilities": {"clock": {"kind": "current_time"}}}))
    assert value(await client.get(place, params={"version": 1}))["capabilities"] == {"own": FILES}
    clock = {"kind": "current_time", "config": NO_CONFIG}
    assert value(await client.get(place))["capabilities"] == {"clock": clock}


@pytest.mark.parametrize(
    ("refused", "field"),
    [
        ({"tools": ["files", "nothing"]}, "tools.1"),
        ({"capabilities": {"a": {"kind": "nothing"}}}, "capabilities.a.kind"),
        ({"capabilities": {"a": {"kind": "files", "config": {"b": 1}}}}, "capabilities.a.config.b"),
    ],
)
async def test_an_agent_or_a_session_is_refused_what_is_not_in_the_catalogue(
    client: httpx.AsyncClient, refused: dict[str, object], field: str
) -> None:
    problem(await client.post("/agents", json={"name": "clerk", **refused}), 422, "invalid_request", field)
    agent = value(await client.post("/agents", json={"name": "clerk"}), 201)
    problem(await client.patch(f"/agents/{agent['id']}", json=refused), 422, "invalid_request", field)
    answer = await client.post("/sessions", json={"overlay": refused})
    problem(answer, 422, "invalid_request", f"overlay.{field}")


async def test_a_session_adds_a_capability_and_takes_one_of_its_agents_away(tmp_path: Path) -> None:
    overlay = {"capabilities": {"own": None, "clock": {"kind": "current_time"}}}
    calls = [{"call": {"name": name, "arguments": NO_CONFIG}} for name in ("list_files", "current_time")]
    script = json.dumps([*calls, {"say": "done"}])
    async with open_served(tmp_path) as served:
        body = {"name": "clerk", "model": "sim/script", "capabilities": {"own": FILES}}
        value(await served.client.post("/agents", json=body), 201)
        own = await ended(served, await say(served, "clerk", script))
        session = await say(served, "clerk", script, overlay=overlay)
        other = await ended(served, session)
        shown = value(await served.client.get(f"/sessions/{session}"))["overlay"]["capabilities"]
    assert [result["status"] for result in said(own, "tool.completed")] == ["done", "error"]
    assert [result["status"] for result in said(other, "tool.completed")] == ["error", "done"]
    assert shown == {"own": None, "clock": {"kind": "current_time", "config": {}}}
