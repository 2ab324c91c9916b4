import asyncio

import httpx
import pytest

from tests.native.asserting import NOWHERE, new_session, problem, value


async def test_a_new_agent_has_the_defaults_that_the_document_names(client: httpx.AsyncClient) -> None:
    response = await client.post("/agents", json={"name": "clerk"})
    agent = value(response, 201)
    assert response.headers["etag"] == '"1"'
    assert (agent["version"], agent["name"], agent["runner"], agent["model"]) == (1, "clerk", "model", None)
    assert (agent["instructions"], agent["tools"], agent["metadata"], agent["runner_config"]) == (
        "",
        [],
        {},
        {},
    )
    assert set(agent["policy"].values()) == {None}
    assert agent["compaction"] == {"when_full": "compact", "at_tokens": None}
    assert value(await client.get(f"/agents/{agent['id']}")) == agent


async def test_every_organisation_has_an_agent_named_default(client: httpx.AsyncClient) -> None:
    names = [agent["name"] for agent in value(await client.get("/agents"))["data"]]
    assert names == ["default"]


async def test_an_agents_name_is_taken_once(client: httpx.AsyncClient) -> None:
    first = value(await client.post("/agents", json={"name": "clerk"}), 201)
    problem(await client.post("/agents", json={"name": "clerk"}), 409, "already_exists")
    problem(await client.patch(f"/agents/{first['id']}", json={"name": "default"}), 409, "already_exists")


async def test_an_update_makes_the_next_version_and_leaves_the_one_before(client: httpx.AsyncClient) -> None:
    first = value(await client.post("/agents", json={"name": "clerk", "tools": ["files"]}), 201)
    place = f"/agents/{first['id']}"
    change = {"instructions": "Be brief.", "metadata": {"team": "ops"}, "runner_config": {"a": 1}}
    response = await client.patch(place, json=change)
    second = value(response)
    assert response.headers["etag"] == '"2"'
    assert (second["version"], second["tools"]) == (2, ["files"])
    assert {name: second[name] for name in change} == change
    assert value(await client.get(place)) == second
    assert value(await client.get(place, params={"version": 1}))["instructions"] == ""
    problem(await client.get(place, params={"version": 3}), 404, "not_found")
    problem(await client.get(place, params={"version": 0}), 400, "invalid_request", "version")


async def test_an_update_for_another_version_is_refused(client: httpx.AsyncClient) -> None:
    place = f"/agents/{value(await client.post('/agents', json={'name': 'clerk'}), 201)['id']}"
    stale = await client.patch(place, json={"model": "sim/echo"}, headers={"If-Match": '"2"'})
    problem(stale, 412, "revision_mismatch")
    value(await client.patch(place, json={"model": "sim/echo"}, headers={"If-Match": '"1"'}))


async def test_updates_at_the_same_time_all_take_effect(client: httpx.AsyncClient) -> None:
    place = f"/agents/{value(await client.post('/agents', json={'name': 'clerk'}), 201)['id']}"
    changes = [{"instructions": "i"}, {"model": "sim/echo"}, {"tools": ["todo"]}, {"metadata": {"k": "v"}}]
    for response in await asyncio.gather(*(client.patch(place, json=change) for change in changes)):
        value(response)
    agent = value(await client.get(place))
    assert agent["version"] == 5
    assert all(agent[name] == change[name] for change in changes for name in change)


async def test_a_session_keeps_the_version_that_it_was_made_with(client: httpx.AsyncClient) -> None:
    agent = value(await client.post("/agents", json={"name": "clerk"}), 201)
    session = await new_session(client, agent="clerk")
    await client.patch(f"/agents/{agent['id']}", json={"instructions": "new"})
    assert value(await client.get(f"/sessions/{session['id']}"))["agent"]["version"] == 1
    assert (await new_session(client, agent="clerk"))["agent"]["version"] == 2


@pytest.mark.parametrize("id", [NOWHERE, "clerk"])
async def test_an_agent_that_is_not_there_is_not_found(client: httpx.AsyncClient, id: str) -> None:
    problem(await client.get(f"/agents/{id}"), 404, "not_found")
    problem(await client.patch(f"/agents/{id}", json={}), 404, "not_found")
    for verb in ("copy", "archive", "unarchive"):
        problem(await client.post(f"/agents/{id}/{verb}", json={}), 404, "not_found")


async def test_a_client_may_choose_an_agents_id(client: httpx.AsyncClient) -> None:
    wanted = {"name": "clerk", "id": NOWHERE, "description": "Keeps the books"}
    agent = value(await client.post("/agents", json=wanted), 201)
    assert (agent["id"], agent["description"]) == (NOWHERE, "Keeps the books")
    problem(await client.post("/agents", json={"name": "other", "id": NOWHERE}), 409, "already_exists")
    changed = value(await client.patch(f"/agents/{NOWHERE}", json={"description": None}))
    assert changed["description"] is None


async def test_an_archived_agent_is_listed_only_when_asked_for(client: httpx.AsyncClient) -> None:
    agent = value(await client.post("/agents", json={"name": "clerk"}), 201)
    place = f"/agents/{agent['id']}"
    archived = value(await client.post(f"{place}/archive"))
    assert archived["archived_at"] is not None
    assert value(await client.get(place)) == archived
    problem(await client.post("/sessions", json={"agent": "clerk"}), 422, "invalid_request", "agent")

    async def names(**query: str) -> list[str]:
        return [agent["name"] for agent in value(await client.get("/agents", params=query))["data"]]

    assert await names() == ["default"]
    assert await names(archived="true") == ["clerk"]
    assert await names(archived="any", order="desc") == ["clerk", "default"]
    assert value(await client.post(f"{place}/unarchive")) == agent
    assert await names(search="LERK") == ["clerk"]
    default = value(await client.get("/agents"))["data"][0]["id"]
    problem(await client.post(f"/agents/{default}/archive"), 409, "conflict")


async def test_agents_are_paged_with_a_cursor_that_is_good_for_one_selection(
    client: httpx.AsyncClient,
) -> None:
    for name in ("a", "b", "c"):
        value(await client.post("/agents", json={"name": name}), 201)
    first = value(await client.get("/agents", params={"limit": 2}))
    rest = value(await client.get("/agents", params={"limit": 2, "cursor": first["next_cursor"]}))
    assert [agent["name"] for agent in first["data"] + rest["data"]] == ["default", "a", "b", "c"]
    assert rest["next_cursor"] is None
    other = await client.get("/agents", params={"cursor": first["next_cursor"], "order": "desc"})
    problem(other, 400, "invalid_request", "cursor")


async def test_a_copy_of_an_agent_is_an_agent_of_its_own(client: httpx.AsyncClient) -> None:
    agent = value(await client.post("/agents", json={"name": "clerk", "instructions": "Be brief."}), 201)
    copy = value(await client.post(f"/agents/{agent['id']}/copy"), 201)
    assert (copy["name"], copy["version"], copy["instructions"]) == ("clerk-copy", 1, "Be brief.")
    assert copy["id"] != agent["id"]
    problem(await client.post(f"/agents/{agent['id']}/copy", json={"name": "clerk"}), 409, "already_exists")


async def test_a_rule_about_a_tool_may_be_a_word_or_an_object(client: httpx.AsyncClient) -> None:
    timed = {"rule": "ask", "timeout_seconds": 5.0, "on_expire": "keep", "on_lost": None}
    rules = {"send": timed, "*": "deny"}
    agent = value(await client.post("/agents", json={"name": "ruled", "tool_policy": rules}), 201)
    assert agent["tool_policy"] == rules
    session = value(await client.post("/sessions", json={"overlay": {"tool_policy": rules}}), 201)
    assert session["overlay"]["tool_policy"] == rules
    wrong = {"send": {"rule": "ask", "timeout_seconds": 0}}
    refused = await client.patch(f"/agents/{agent['id']}", json={"tool_policy": wrong})
    assert refused.status_code == 422


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("client_tools.0.name", {"client_tools": [{"name": "look\n"}]}),
        ("capabilities", {"capabilities": {"clock\n": {"kind": "current_time"}}}),
    ],
)
async def test_a_name_does_not_end_with_a_line(
    client: httpx.AsyncClient, field: str, body: dict[str, object]
) -> None:
    refused = await client.post("/agents", json={"name": "lined", **body})
    problem(refused, 422, "invalid_request", field)


async def test_a_limit_of_model_calls_is_given_back_taken_away_and_bounded(client: httpx.AsyncClient) -> None:
    agent = value(await client.post("/agents", json={"name": "brief", "max_model_calls": 3}), 201)
    assert agent["max_model_calls"] == 3
    place = f"/agents/{agent['id']}"
    assert value(await client.patch(place, json={"instructions": "Be brief."}))["max_model_calls"] == 3
    assert value(await client.patch(place, json={"max_model_calls": None}))["max_model_calls"] is None
    for wrong in (0, 1001, "3"):
        refused = await client.patch(place, json={"max_model_calls": wrong})
        problem(refused, 422, "invalid_request", "max_model_calls")


async def test_a_wrong_value_in_a_map_is_named_by_its_place(client: httpx.AsyncClient) -> None:
    refused = await client.post("/agents", json={"name": "x", "tool_policy": {"send": {"rule": "never"}}})
    problem(refused, 422, "invalid_request", "tool_policy.*.rule")
