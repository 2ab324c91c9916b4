from dataclasses import replace
from typing import Any

from sojourn.domain.agent import AgentSpec
from sojourn.domain.content import Usage
from sojourn.service.sessions import NewSession
from sojourn.web.dialects.everruns.log.payloads import usage
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import SOMEBODY, Everruns, absent, as_problem, as_session, id_of

SAID: dict[str, Any] = {
    "title": "Debug login issue",
    "goal": "Find the cause",
    "system_prompt": "Be brief.",
    "tags": ["debugging", "urgent"],
    "capabilities": [{"ref": "current_time", "config": {"zone": "UTC"}}],
    "tools": [
        {"type": "client_side", "name": "open", "description": "Opens", "parameters": {"type": "object"}}
    ],
    "initial_files": [{"path": "/a.md", "content": "Hello"}],
    "mcpServers": {"docs": {"url": "https://example.com/mcp"}},
    "hints": {"tone": "dry"},
    "network_access": {"allowed": ["example.com"], "blocked": []},
    "max_iterations": 7,
    "parallel_tool_calls": False,
    "source": "chat",
    "agent_identity_id": "identity_1",
}


NONSENSE: list[dict[str, Any]] = [
    {"locale": "not a locale"},
    {"capabilities": [{"ref": "nothing"}]},
    {"capabilities": [{"ref": "current_time", "config": 5}]},
    {"tags": ["__everruns_own"]},
    {"tags": "a"},
    {"title": 5},
    {"title": "a\0b"},
    {"system_prompt": "x" * (1024 * 1024 + 1)},
    {"tools": [{"type": "builtin", "name": "x", "description": "", "parameters": {}}]},
    {"initial_files": [{"path": f"/{number}", "content": ""} for number in range(101)]},
    {"initial_files": [{"path": "/a", "content": "?", "encoding": "base64"}]},
    {"mcpServers": {"a": {"url": "http://169.254.169.254/latest"}}},
    {"mcpServers": {"a": {"url": "http://localhost:5000"}}},
    {"mcp_servers": {"a": {"url": "file:///etc/passwd"}}},
    {"source": "slack"},
    {"max_iterations": "many"},
    {"workspace_id": "wsp_1"},
]


@covers("session.iterations")
async def test_a_turn_makes_no_more_model_calls_than_its_agent_or_session_says(everruns: Everruns) -> None:
    body = {"name": "brief", "system_prompt": "", "max_iterations": 3, "default_model_id": "sim/script"}
    agent = (await everruns.ask("POST", "/agents", json=body)).json()
    for most, said in ((3, {}), (2, {"max_iterations": 2}), (3, {"max_iterations": 0})):
        session = await everruns.make(agent_id=agent["id"], **said)
        assert session.get("max_iterations") == said.get("max_iterations")
        # Each asks for something else: the same over and over would end it before.
        steps: list[dict[str, Any]] = [{"call": {"name": f"tool_{at}", "arguments": {}}} for at in range(5)]
        await everruns.play(session["id"], *steps)
        events = await everruns.until(session["id"], "session.idled")
        [sealed] = [event["data"] for event in events if event["type"] == "turn.sealed"]
        assert (sealed["iterations"], sealed["reason"]) == (most, "no_progress")
    found = await everruns.services.agents.find(everruns.org, "brief")
    assert found.spec.max_model_calls == 3
    await everruns.services.agents.update(everruns.org, found.id, replace(found.spec, max_model_calls=9))
    assert (await everruns.read(f"/agents/{agent['id']}"))["max_iterations"] == 9


@covers("session.create", "session.fields", "session.sdk-body")
async def test_everything_that_is_said_of_a_new_session_is_given_back(everruns: Everruns) -> None:
    [model] = [one for one in (await everruns.read("/models"))["data"] if one["model_id"] == "sim/echo"]
    session = await everruns.make(**SAID, locale="uk-ua", model_id=model["id"])
    assert {name: session[name] for name in SAID} == SAID
    assert (session["locale"], session["model_id"]) == ("uk-UA", model["id"])
    assert (session["status"], session["activity"]) == ("started", "idle")
    assert session["workspace_id"] == session["id"].replace("session_", "wsp_")
    assert session["features"] == ["file_system"]
    assert "finished_at" not in session
    assert "usage" not in session
    assert await everruns.get(session["id"]) == session
    plain = await everruns.make(capabilities=[], tags=[], tools=[])
    assert plain["harness_id"] == "harness_00000000000000000000000000000001"
    assert plain["source"] == "api"


@covers("session.page")
async def test_the_pages_own_example_makes_what_the_page_shows(everruns: Everruns) -> None:
    """Its ids have 31 digits, so they are malformed, and those of this server stand for them."""
    agent = id_of("agent", (await everruns.services.agents.find(everruns.org, "default")).id)
    example: dict[str, Any] = {
        "agent_id": agent,
        "capabilities": [{"ref": "current_time", "config": {}}],
        "model_id": (await everruns.read("/models"))["data"][0]["id"],
        "tags": ["debugging", "urgent"],
        "title": "Debug login issue",
    }
    session = await everruns.make(**example)
    assert {name: session[name] for name in example} == example
    assert session["organization_id"] == "org_00000000000000000000000000000001"
    page = {"agent_id": "agent_01933b5a00007000800000000000001"}
    assert (await everruns.refused(400, "POST", "/sessions", json=page))["detail"].startswith(
        "Invalid agent ID"
    )
    await everruns.refused(404, "POST", "/sessions", json={"agent_id": absent("agent")})


@covers("session.agent")
async def test_a_session_is_of_the_agent_that_is_named(everruns: Everruns) -> None:
    agents = everruns.services.agents
    agent = (await agents.create(everruns.org, AgentSpec(name="clerk", model="sim/echo"))).value
    id = id_of("agent", agent.id)
    by_id, by_name = await everruns.make(agent_id=id), await everruns.make(agent_name="clerk")
    assert by_id["agent_id"] == by_name["agent_id"] == id
    assert await everruns.read(f"/sessions/{by_id['id']}/resolved-model") == {"model_id": by_id["model_id"]}
    await everruns.refused(404, "POST", "/sessions", json={"agent_id": absent("agent")})
    await everruns.refused(404, "POST", "/sessions", json={"agent_name": "nobody"})
    problem = await everruns.refused(400, "POST", "/sessions", json={"agent_id": "agent_1"})
    assert problem["detail"] == "Invalid agent ID: agent_1"
    await everruns.refused(400, "POST", "/sessions", json={"agent_id": id, "agent_name": "clerk"})
    await agents.archive(everruns.org, agent.id, True)
    await everruns.refused(400, "POST", "/sessions", json={"agent_id": id})


@covers("session.harness")
async def test_a_session_is_of_the_harness_that_is_named(everruns: Everruns) -> None:
    default = await everruns.make(harness_name="default")
    assert default["harness_id"] == (await everruns.make())["harness_id"]
    assert (await everruns.make(harness_id=default["harness_id"]))["harness_id"] == default["harness_id"]
    both = {"harness_id": default["harness_id"], "harness_name": "generic"}
    problem = await everruns.refused(400, "POST", "/sessions", json=both)
    assert problem["detail"] == "Cannot specify both harness_id and harness_name"
    await everruns.refused(404, "POST", "/sessions", json={"harness_id": absent("harness")})
    await everruns.refused(404, "POST", "/sessions", json={"harness_name": "nothing"})


@covers("session.refused")
async def test_a_session_that_could_not_be_made_as_told_is_refused(everruns: Everruns) -> None:
    for said in NONSENSE:
        await everruns.refused(400, "POST", "/sessions", json=said)
        assert (await everruns.read("/sessions"))["total"] == 0


@covers("session.model")
async def test_an_unknown_model_or_workspace_is_not_found(everruns: Everruns) -> None:
    problem = await everruns.refused(404, "POST", "/sessions", json={"model_id": absent("model")})
    assert problem["code"] == "model_not_found"
    await everruns.refused(404, "POST", "/sessions", json={"workspace_id": absent("wsp")})
    session = await everruns.make()
    assert (await everruns.read(f"/sessions/{session['id']}/resolved-model"))["model_id"]
    shared = await everruns.make(workspace_id=session["workspace_id"])
    assert shared["workspace_id"] == session["workspace_id"]


@covers("session.repeat")
async def test_a_create_with_an_idempotency_key_makes_one_session(everruns: Everruns) -> None:
    first = await everruns.ask("POST", "/sessions", json={"title": "a"}, headers={"idempotency-key": "k1"})
    again = await everruns.ask("POST", "/sessions", json={"title": "a"}, headers={"idempotency-key": "k1"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert again.headers["idempotent-replayed"] == "true"
    other = await everruns.ask("POST", "/sessions", json={"title": "b"}, headers={"idempotency-key": "k1"})
    assert as_problem(other, 422)["code"] == "idempotency_key_reused"


@covers("session.patch")
async def test_only_the_fields_that_are_given_change(everruns: Everruns) -> None:
    session = await everruns.make(title="a", goal="g", tags=["x"], locale="de")
    path = f"/sessions/{session['id']}"
    changed = await everruns.ask("PATCH", path, json={"goal": "h", "agent_identity_id": "identity_2"})
    now = as_session(changed.json())
    assert (now["title"], now["goal"], now["tags"], now["locale"]) == ("a", "h", ["x"], "de")
    assert now["agent_identity_id"] == "identity_2"
    now = (await everruns.ask("PATCH", path, json={"title": None, "tags": ["y"], "locale": "FR-ca"})).json()
    assert "title" not in now
    assert (now["tags"], now["locale"]) == (["y"], "fr-CA")
    assert await everruns.get(session["id"]) == now
    await everruns.refused(400, "PATCH", path, json={"locale": "?"})
    await everruns.refused(400, "PATCH", path, json={"tags": ["__everruns_x"]})
    await everruns.refused(404, "PATCH", f"/sessions/{absent('session')}", json={"title": "x"})


@covers("session.delete")
async def test_a_deleted_session_is_not_found(everruns: Everruns) -> None:
    path = f"/sessions/{(await everruns.make())['id']}"
    answer = await everruns.ask("DELETE", path)
    assert (answer.status_code, answer.content) == (204, b"")
    for method, below in (("GET", ""), ("DELETE", ""), ("GET", "/sse"), ("POST", "/cancel"), ("PUT", "/pin")):
        await everruns.refused(404, method, path + below)


@covers("session.pin")
async def test_a_pin_is_of_the_key_that_set_it(everruns: Everruns) -> None:
    session = await everruns.make()
    path = f"/sessions/{session['id']}/pin"
    assert not session["is_pinned"]
    for _ in range(2):
        assert (await everruns.ask("PUT", path)).status_code == 204
    assert (await everruns.get(session["id"]))["is_pinned"]
    other = await everruns.role("member")
    assert not (await other.get(session["id"]))["is_pinned"]
    for _ in range(2):
        assert (await everruns.ask("DELETE", path)).status_code == 204
    assert not (await everruns.get(session["id"]))["is_pinned"]


@covers("session.secrets")
async def test_secrets_are_named_and_never_read_back(everruns: Everruns) -> None:
    session = await everruns.make()
    path = f"/sessions/{session['id']}/storage/secrets"
    answer = await everruns.ask("PUT", path, json={"secrets": {"TOKEN": "s3cret", "OTHER": "x"}})
    assert (answer.status_code, answer.json()) == (200, {"count": 2})
    listed = await everruns.ask("GET", path)
    assert [secret["name"] for secret in listed.json()["data"]] == ["OTHER", "TOKEN"]
    assert await everruns.read(path.replace("secrets", "keys")) == {"data": []}
    assert "s3cret" not in listed.text + (await everruns.ask("GET", f"/sessions/{session['id']}")).text
    assert (await everruns.ask("DELETE", path + "/OTHER")).status_code == 204
    await everruns.refused(404, "DELETE", path + "/OTHER")
    assert [secret["name"] for secret in (await everruns.read(path))["data"]] == ["TOKEN"]
    for bad in ({"": "x"}, {"a/b": "x"}, {"a": 5}, {f"n{number}": "" for number in range(101)}):
        await everruns.refused(400, "PUT", path, json={"secrets": bad})
    await everruns.refused(404, "PUT", f"/sessions/{absent('session')}/storage/secrets", json={"secrets": {}})


@covers("session.elsewhere", "status.ended")
async def test_a_session_that_ended_elsewhere_is_idle_and_finished(everruns: Everruns) -> None:
    session = await everruns.native(NewSession(title="made natively", tags=("t",)))
    id = id_of("session", session)
    shown = await everruns.get(id)
    assert (shown["title"], shown["tags"], shown["source"]) == ("made natively", ["t"], "api")
    await everruns.services.sessions.end(everruns.org, session, "completed", None, SOMEBODY)
    ended = await everruns.get(id)
    assert (ended["status"], ended["activity"]) == ("idle", "idle")
    assert ended["finished_at"] >= ended["created_at"]
    # A message opens it again.
    await everruns.say(id, "go on")
    await everruns.until(id, "session.idled")
    assert "finished_at" not in await everruns.get(id)


@covers("session.usage", "status.activity")
async def test_a_session_shows_what_it_used_and_what_came_of_it(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.play(id, {"say": "one two three"})
    await everruns.until(id, "session.idled")
    session = await everruns.get(id)
    assert (session["status"], session["activity"]) == ("idle", "completed")
    assert session["usage"]["output_tokens"] == 3
    assert session["started_at"] >= session["created_at"]
    await everruns.play(id, {"error": "fatal"})
    await everruns.until(id, "session.idled", times=2)
    assert (await everruns.get(id))["activity"] == "failed"


@covers("session.usage-buckets")
def test_usage_is_told_in_disjoint_buckets() -> None:
    used = Usage(input_tokens=100, output_tokens=7, cache_read_tokens=60, cache_write_tokens=10)
    assert usage(used) == {
        "input_tokens": 30,
        "output_tokens": 7,
        "cache_read_tokens": 60,
        "cache_creation_tokens": 10,
    }
