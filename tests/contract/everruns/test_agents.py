import json
from dataclasses import replace
from typing import Any

import pytest

from sojourn.domain.agent import AgentSpec, ClientTool
from sojourn.domain.errors import InvalidRequest
from sojourn.domain.ids import AgentId
from sojourn.domain.policy import Policy
from sojourn.service.sessions import NewSession
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, Json, absent, id_of
from tests.contract.everruns.waits import turn_over, until

REQUIRED = {"id", "name", "system_prompt", "harness_id", "status", "created_at", "updated_at"}
TOOL = {
    "type": "client_side",
    "name": "open_url",
    "description": "Opens a page",
    "parameters": {"type": "object", "properties": {"url": {"type": "string"}}},
    "hints": {"readonly": True},
}
LINKS = {"self_url", "view_url", "ui_link", "allowed_actions"}
WHOLE: Json = {
    "display_name": "Clerk of works",
    "description": "Keeps the books",
    "tags": ["b", "a"],
    "capabilities": [
        {"ref": "session_file_system", "config": {"quota": 1}},
        {"ref": "current_time"},
    ],
    "tools": [TOOL],
    "initial_files": [
        {"path": "/a.md", "content": "Hello", "is_readonly": True},
        {"path": "b", "content": "AAE=", "encoding": "base64"},
    ],
    "mcpServers": {"docs": {"url": "https://mcp.example/"}},
    "network_access": {"allowed": ["*.example.com"], "blocked": ["169.254.169.254"]},
    "max_iterations": 0,
    "parallel_tool_calls": False,
}


def as_agent(value: Any) -> Json:
    assert set(value) >= REQUIRED
    assert None not in value.values()
    return value


async def apply(
    everruns: Everruns, status: int = 201, method: str = "POST", path: str = "/agents", **said: Any
) -> Json:
    body = {"name": "clerk", "system_prompt": "Be brief."} | said
    answer = await everruns.ask(method, path, json=body)
    assert answer.status_code == status, answer.text
    return as_agent(answer.json())


@covers("agent.create")
async def test_a_new_agent_says_what_the_client_needs(everruns: Everruns) -> None:
    agent = await apply(everruns)
    assert (agent["name"], agent["system_prompt"], agent["status"]) == ("clerk", "Be brief.", "active")
    assert agent["id"].startswith("agent_")
    assert "archived_at" not in agent
    assert await everruns.read(f"/agents/{agent['id']}") == agent


@covers("agent.fields")
async def test_all_that_is_said_of_an_agent_is_given_back(everruns: Everruns) -> None:
    agent = await apply(everruns, **WHOLE)
    assert {name: agent[name] for name in WHOLE} == WHOLE


@covers("agent.upsert")
async def test_a_post_changes_the_agent_of_its_id_or_name(everruns: Everruns) -> None:
    wanted = absent("agent")
    first = await apply(everruns, id=wanted, **WHOLE)
    assert first["id"] == wanted
    renamed = await apply(everruns, 200, id=wanted, name="scribe", tags=["c"])
    assert (renamed["id"], renamed["name"], renamed["tags"]) == (wanted, "scribe", ["c"])
    assert (renamed["tools"], renamed["capabilities"], renamed["mcpServers"]) == ([], [], {})
    assert "display_name" not in renamed
    by_name = await apply(everruns, 200, name="scribe", system_prompt="New.")
    assert (by_name["id"], by_name["system_prompt"]) == (wanted, "New.")
    await apply(everruns)
    taken = await everruns.refused(
        409, "POST", "/agents", json={"id": wanted, "name": "clerk", "system_prompt": ""}
    )
    assert taken["code"] == "already_exists"


@covers("agent.put")
async def test_a_put_makes_the_agent_or_changes_it(everruns: Everruns) -> None:
    made = await apply(everruns, 201, "PUT", "/agents/clerk")
    changed = await apply(everruns, 200, "PUT", f"/agents/{made['id']}", description="d")
    assert (changed["id"], changed["description"]) == (made["id"], "d")
    wanted = absent("agent")
    assert (await apply(everruns, 201, "PUT", f"/agents/{wanted}", name="other"))["id"] == wanted
    body = {"id": absent("agent"), "name": "clerk", "system_prompt": ""}
    await everruns.refused(400, "PUT", f"/agents/{wanted}", json=body)
    await everruns.refused(400, "PUT", "/agents/Not_A_Name", json={"name": "a", "system_prompt": ""})


@covers("agent.patch")
async def test_a_patch_changes_what_it_names(everruns: Everruns) -> None:
    agent = await apply(everruns, **WHOLE)
    place = f"/agents/{agent['id']}"
    answer = await everruns.ask("PATCH", place, json={"tags": ["z"], "description": None, "name": "scribe"})
    changed = as_agent(answer.json())
    same = agent | {"tags": ["z"], "name": "scribe", "updated_at": changed["updated_at"]}
    assert changed == same
    answer = await everruns.ask(
        "PATCH", place, json={"network_access": {}, "capabilities": [], "initial_files": []}
    )
    assert "network_access" not in answer.json()
    assert answer.json()["capabilities"] == []
    answer = await everruns.ask("PATCH", place, json={"status": "archived"})
    assert answer.json()["status"] == "archived"
    answer = await everruns.ask("PATCH", place, json={"status": "active"})
    assert answer.json()["status"] == "active"
    await everruns.refused(400, "PATCH", place, json={"status": "deleted"})
    await everruns.refused(404, "PATCH", f"/agents/{absent('agent')}", json={})


@covers("agent.get")
async def test_an_agent_is_read_by_id_or_name(everruns: Everruns) -> None:
    agent = await apply(everruns)
    for named in (agent["id"], "clerk"):
        assert await everruns.read(f"/agents/{named}") == agent
    unknown = absent("agent")
    problem = await everruns.refused(404, "GET", f"/agents/{unknown}")
    assert (problem["code"], problem["detail"]) == ("agent_not_found", f"Agent not found: {unknown}")
    await everruns.refused(404, "GET", "/agents/nobody")
    problem = await everruns.refused(400, "GET", "/agents/agent_x")
    assert problem["detail"] == "Invalid agent ID: agent_x"


@covers("agent.archive", "agent.archived-sessions", "agent.archived-applied")
async def test_an_archived_agent_is_read_and_given_no_new_session(everruns: Everruns) -> None:
    agent = await apply(everruns)
    session = await everruns.native(NewSession(agent="clerk"))
    for _ in range(2):
        answer = await everruns.ask("DELETE", f"/agents/{agent['id']}")
        assert (answer.status_code, answer.content) == (204, b"")
    archived = await everruns.read(f"/agents/{agent['id']}")
    assert (archived["status"], archived["archived_at"][-1]) == ("archived", "Z")
    with pytest.raises(InvalidRequest):
        await everruns.native(NewSession(agent="clerk"))
    await everruns.send(session, "hello")
    listed = await everruns.read("/agents")
    assert agent["id"] not in [each["id"] for each in listed["data"]]
    everything = await everruns.read("/agents", params={"include_archived": "true"})
    assert everything["data"][0] == archived
    assert (everything["total"], listed["total"]) == (2, 1)
    back = await apply(everruns, 200)
    assert back == agent
    await everruns.refused(404, "DELETE", f"/agents/{absent('agent')}")


@covers("agent.default")
async def test_the_default_agent_stays_in_use(everruns: Everruns) -> None:
    problem = await everruns.refused(409, "DELETE", "/agents/default")
    assert problem["code"] == "conflict"


@covers("agent.copy")
async def test_a_copy_has_all_but_the_name(everruns: Everruns) -> None:
    agent = await apply(everruns, **WHOLE)
    answer = await everruns.ask("POST", f"/agents/{agent['id']}/copy", json={})
    assert answer.status_code == 201
    copy = as_agent(answer.json())
    of_its_own = {"id", "name", "created_at", "updated_at", *LINKS}
    assert copy["name"] == "clerk-copy"
    assert all(copy[name] == agent[name] for name in set(agent) - of_its_own)
    assert copy["id"] != agent["id"]
    await everruns.refused(404, "POST", f"/agents/{absent('agent')}/copy", json={})


@covers("agent.list")
async def test_agents_are_listed_newest_first(everruns: Everruns) -> None:
    for name in ("a", "b", "c"):
        await apply(everruns, name=name)
    page = await everruns.read("/agents")
    assert [agent["name"] for agent in page["data"]] == ["c", "b", "a", "default"]
    assert (page["total"], page["offset"], page["limit"]) == (4, 0, 20)
    page = await everruns.read("/agents", params={"offset": 1, "limit": 2})
    assert [agent["name"] for agent in page["data"]] == ["b", "a"]
    assert page["total"] == 4
    for wrong in ({"limit": 0}, {"limit": 101}, {"offset": -1}, {"limit": "x"}, {"include_archived": "x"}):
        await everruns.refused(400, "GET", "/agents", params=wrong)


@covers("agent.links")
async def test_an_agent_says_where_it_is_found(everruns: Everruns) -> None:
    agent = await apply(everruns)
    assert agent["self_url"].endswith(f"/v1/agents/{agent['id']}")
    assert (
        await everruns.http.get(agent["self_url"], headers={"authorization": everruns.key})
    ).json() == agent
    assert {action["rel"] for action in agent["allowed_actions"]} == {"self", "update", "delete"}
    assert agent["view_url"] == agent["ui_link"]
    await apply(everruns, name="second")
    page = await everruns.read("/agents", params={"limit": 1, "offset": 1, "search": "e"})
    assert "offset=2" in page["next_url"]
    assert "search=e" in page["next_url"]
    following = await everruns.http.get(page["next_url"], headers={"authorization": everruns.key})
    assert len(following.json()["data"]) == 1
    assert "next_url" not in following.json()
    assert "offset=0" in page["prev_url"]


@covers("agent.search")
async def test_agents_are_searched_by_name_and_description(everruns: Everruns) -> None:
    await apply(everruns, name="writer", description="100% done")
    await apply(everruns, name="reader", description="reads what a WRITER wrote")

    async def found(search: str) -> list[str]:
        page = await everruns.read("/agents", params={"search": search})
        assert page["total"] == len(page["data"])
        return [agent["name"] for agent in page["data"]]

    assert await found("Writer") == ["reader", "writer"]
    assert await found("0%") == ["writer"]
    assert await found("_") == []
    await apply(everruns, name="ukrainian", description="ЖИЛЛЯ")
    assert await found("жилля") == ["ukrainian"]


@covers("agent.names")
@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a--b", "a" * 65, "a b", "é", "a\n"])
async def test_a_name_is_addressable(everruns: Everruns, name: str) -> None:
    problem = await everruns.refused(400, "POST", "/agents", json={"name": name, "system_prompt": ""})
    assert problem["detail"].startswith("name: ")
    await apply(everruns, name="a" * 64)


@covers("agent.limits")
@pytest.mark.parametrize(
    "said",
    [
        {"system_prompt": "é" * (512 * 1024) + "x"},
        {"description": "x" * (10 * 1024 + 1)},
        {"display_name": "x" * 2049},
        {"capabilities": [{"ref": "current_time"}] * 251},
        {"initial_files": [{"path": f"/{n}", "content": ""} for n in range(101)]},
        {"initial_files": [{"path": "/a", "content": "x" * (5 * 1024 * 1024 + 1)}]},
    ],
)
async def test_what_is_too_large_is_refused(everruns: Everruns, said: Json) -> None:
    body = {"name": "clerk", "system_prompt": ""} | said
    problem = await everruns.refused(400, "POST", "/agents", json=body)
    assert problem["detail"] == "Input exceeds allowed limits"
    await everruns.refused(404, "GET", "/agents/clerk")


@covers("agent.capabilities")
@pytest.mark.parametrize("ref", ["nothing", "bash", "", "mcp:x", "__everruns_x"])
async def test_an_unavailable_capability_is_refused(everruns: Everruns, ref: str) -> None:
    body: Json = {"name": "clerk", "system_prompt": "", "capabilities": [{"ref": ref}]}
    problem = await everruns.refused(400, "POST", "/agents", json=body)
    assert problem["detail"].startswith("capabilities: ")
    body["capabilities"] = [{"ref": "current_time", "config": [1]}]
    await everruns.refused(400, "POST", "/agents", json=body)


@covers("agent.capabilities")
async def test_a_capability_of_another_release_is_left_out_of_what_is_shown(everruns: Everruns) -> None:
    said: Json = {
        "everruns": {"capabilities": [{"ref": "gone"}, {"ref": "current_time", "config": {"a": 1}}]}
    }
    spec = AgentSpec(name="clerk", tools=("current_time",), facets=said)
    await everruns.services.agents.create(everruns.org, spec)
    shown = await everruns.read("/agents/clerk")
    assert shown["capabilities"] == [{"ref": "current_time", "config": {"a": 1}}]


@covers("agent.files")
async def test_an_agent_with_files_has_the_file_system(everruns: Everruns) -> None:
    agent = await apply(everruns, initial_files=[{"path": "/a", "content": "x"}])
    assert agent["capabilities"] == [{"ref": "session_file_system"}]
    found = await everruns.services.agents.find(everruns.org, "clerk")
    assert found.spec.tools == ("files",)
    wrong = {
        "name": "x",
        "system_prompt": "",
        "initial_files": [{"path": "/a", "content": "?", "encoding": "base64"}],
    }
    await everruns.refused(400, "POST", "/agents", json=wrong)


@covers("agent.tools")
@pytest.mark.parametrize(
    "tools",
    [
        [{"type": "builtin", "name": "a", "description": "", "parameters": {}}],
        [{"name": "a", "description": ""}],
        [{"name": "a", "description": "", "parameters": []}],
        [TOOL, TOOL],
    ],
)
async def test_a_tool_that_is_none_is_refused(everruns: Everruns, tools: list[Json]) -> None:
    body = {"name": "clerk", "system_prompt": "", "tools": tools}
    problem = await everruns.refused(400, "POST", "/agents", json=body)
    assert problem["detail"].startswith("tools")


@covers("agent.tools-run", "agent.natively")
async def test_the_agents_tools_are_carried_out_by_a_client(everruns: Everruns) -> None:
    await apply(everruns, tools=[TOOL])
    session = await everruns.native(NewSession(agent="clerk"))
    call = {"call": {"name": "open_url", "arguments": {"url": "https://example.com"}}}
    await everruns.send(session, json.dumps([call, {"say": "done"}]))
    await until(everruns, session, "turn.waiting")
    assert (await everruns.read(f"/sessions/{id_of('session', session)}"))[
        "status"
    ] == "waitingfortoolresults"
    natively = ClientTool(name="look", description="Looks.", parameters={"type": "object"})
    found = await everruns.services.agents.find(everruns.org, "clerk")
    await everruns.services.agents.amend(
        everruns.org, found.id, lambda spec: replace(spec, client_tools=(*spec.client_tools, natively))
    )
    shown = (await everruns.read("/agents/clerk"))["tools"]
    assert shown == [
        TOOL,
        {"type": "client_side", "name": "look", "description": "Looks.", "parameters": {"type": "object"}},
    ]


@covers("agent.model", "agent.model-name")
async def test_a_model_is_named_by_its_id_or_its_own_name(everruns: Everruns) -> None:
    models = (await everruns.read("/models"))["data"]
    echo = next(model["id"] for model in models if model["model_id"] == "sim/echo")
    agent = await apply(everruns, default_model_id=echo)
    assert agent["default_model_id"] == echo
    assert (await everruns.services.agents.find(everruns.org, "clerk")).spec.model == "sim/echo"
    own = await apply(everruns, 200, default_model_id="openai-compatible/x")
    assert (await everruns.read(f"/models/{own['default_model_id']}"))["model_id"] == "openai-compatible/x"
    assert "default_model_id" not in await apply(everruns, 200)
    body = {"name": "clerk", "system_prompt": "", "default_model_id": absent("model")}
    problem = await everruns.refused(404, "POST", "/agents", json=body)
    assert problem["code"] == "model_not_found"
    await everruns.refused(400, "POST", "/agents", json=body | {"default_model_id": "model_x"})


@covers("agent.harness")
async def test_a_harness_is_named_by_id_or_name(everruns: Everruns) -> None:
    harnesses = {harness["name"]: harness["id"] for harness in (await everruns.read("/harnesses"))["data"]}
    agent = await apply(everruns, harness_name="external")
    assert agent["harness_id"] == harnesses["external"]
    assert (await apply(everruns, 200))["harness_id"] == harnesses["external"]
    assert (await apply(everruns, 200, harness_name="default"))["harness_id"] == harnesses["generic"]
    problem = await everruns.refused(
        400, "POST", "/agents", json={"name": "coder", "system_prompt": "", "harness_id": harnesses["acp"]}
    )
    assert "runner_config" in problem["detail"]
    body = {"name": "clerk", "system_prompt": ""}
    await everruns.refused(
        400, "POST", "/agents", json=body | {"harness_name": "generic", "harness_id": harnesses["acp"]}
    )
    for unknown in ({"harness_name": "nothing"}, {"harness_id": absent("harness")}):
        problem = await everruns.refused(404, "POST", "/agents", json=body | unknown)
        assert problem["code"] == "harness_not_found"


@covers("agent.harness", "agent.native-rest")
async def test_what_configures_a_harness_stays_with_it_and_goes_with_it(everruns: Everruns) -> None:
    harnesses = {harness["name"]: harness["id"] for harness in (await everruns.read("/harnesses"))["data"]}
    spec = AgentSpec(name="clerk", runner="acp", runner_config={"agent": "opencode"})
    await everruns.services.agents.create(everruns.org, spec)
    assert (await apply(everruns, 200))["harness_id"] == harnesses["acp"]
    assert (await apply(everruns, 200, harness_id=harnesses["acp"]))["harness_id"] == harnesses["acp"]
    agents = everruns.services.agents
    assert (await agents.find(everruns.org, "clerk")).spec.runner_config == {"agent": "opencode"}
    generic = await apply(everruns, 200, harness_name="generic")
    assert generic["harness_id"] == harnesses["generic"]
    assert (await agents.find(everruns.org, "clerk")).spec.runner_config == {}


@covers("agent.repeat")
async def test_a_repeated_post_is_answered_as_the_first(everruns: Everruns) -> None:
    body, headers = {"name": "clerk", "system_prompt": "1"}, {"idempotency-key": "k"}
    first = await everruns.ask("POST", "/agents", json=body, headers=headers)
    await apply(everruns, 200, system_prompt="2")
    again = await everruns.ask("POST", "/agents", json=body, headers=headers)
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    problem = await everruns.refused(422, "POST", "/agents", json=body | {"name": "x"}, headers=headers)
    assert problem["code"] == "idempotency_key_reused"


@covers("agent.natively", "agent.native-rest")
async def test_agents_of_the_native_api_are_agents_here(everruns: Everruns) -> None:
    agents = everruns.services.agents
    spec = AgentSpec(
        name="Native One",
        instructions="Do.",
        tools=("files", "sessions", "current_time"),
        policy=Policy(max_turn_seconds=9),
        metadata={"a": 1},
    )
    made = (await agents.create(everruns.org, spec)).value
    id = id_of("agent", made.id)
    shown = as_agent(await everruns.read(f"/agents/{id}"))
    assert (shown["name"], shown["system_prompt"]) == ("Native One", "Do.")
    refs = [each["ref"] for each in shown["capabilities"]]
    assert refs == ["session_file_system", "subagents", "current_time"]
    assert await everruns.read("/agents/Native%20One") == shown
    said = [{"ref": "subagents"}, {"ref": "current_time"}]
    await apply(everruns, 200, id=id, name="native", capabilities=said)
    changed = (await agents.get(everruns.org, made.id)).spec
    assert changed.tools == ("sessions", "current_time")
    assert (changed.policy, changed.metadata) == (spec.policy, spec.metadata)
    await everruns.ask("PATCH", f"/agents/{id}", json={"tags": ["x"]})
    await agents.amend(everruns.org, AgentId(made.id), lambda spec: AgentSpec(name="n", facets=spec.facets))
    shown = await everruns.read(f"/agents/{id}")
    assert (shown["tags"], shown["capabilities"]) == (["x"], [])


@covers("agent.stats")
async def test_what_an_agents_sessions_come_to_is_told(everruns: Everruns) -> None:
    agent = await apply(everruns)
    place = f"/agents/{agent['id']}/stats"
    nothing = await everruns.read(place)
    assert set(nothing.values()) == {0}
    await everruns.native()
    sessions = [await everruns.native(NewSession(agent="clerk")) for _ in range(2)]
    await everruns.send(sessions[0], "hello")
    await turn_over(everruns, sessions[0])
    stats = await everruns.read(place)
    assert (stats["session_count"], stats["started_session_count"], stats["idle_session_count"]) == (2, 1, 1)
    assert stats["execution_count"] == 1
    assert stats["total_input_tokens"] > 0
    assert stats["first_session_at"] <= stats["last_session_at"] <= stats["last_execution_at"]
    await everruns.refused(404, "GET", f"/agents/{absent('agent')}/stats")
    await (await everruns.other_org()).refused(404, "GET", place)


@covers("agent.check-name")
async def test_a_free_name_is_told_from_a_taken_one(everruns: Everruns) -> None:
    agent = await apply(everruns)

    async def is_free(**query: str) -> bool:
        return (await everruns.read("/agents/check-name", params=query))["available"]

    assert await is_free(name="free")
    assert not await is_free(name="clerk")
    assert await is_free(name="clerk", exclude_id=agent["id"])
    for wrong in ({"name": "A"}, {}, {"name": "a", "exclude_id": "x"}):
        await everruns.refused(400, "GET", "/agents/check-name", params=wrong)


@covers("agent.org", "agent.role")
async def test_an_agent_is_its_organisations_and_a_workers_key_changes_none(everruns: Everruns) -> None:
    agent = await apply(everruns)
    place = f"/agents/{agent['id']}"
    other = await everruns.other_org()
    for method, path in (("GET", place), ("PATCH", place), ("DELETE", place), ("POST", f"{place}/copy")):
        problem = await other.refused(404, method, path, content=b"{}")
        assert problem["code"] == "agent_not_found"
    assert agent["id"] not in [each["id"] for each in (await other.read("/agents"))["data"]]
    worker = await everruns.role("reporter")
    assert await worker.read(place) == agent
    for method, path in (("POST", "/agents"), ("PATCH", place), ("DELETE", place), ("PUT", place)):
        await worker.refused(403, method, path, json={"name": "x", "system_prompt": ""})
