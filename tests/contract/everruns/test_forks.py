from uuid import UUID

from sojourn.domain.ids import SessionId
from sojourn.domain.overlay import Overlay
from sojourn.service.changes import SessionChange
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import SOMEBODY, Everruns, Json, absent, as_session


async def conversed(everruns: Everruns) -> Json:
    """A session of two turns."""
    session = await everruns.make(title="parent", goal="g", tags=["a"], locale="de")
    for number in (1, 2):
        await everruns.play(session["id"], {"say": f"answer {number}"})
        await everruns.until(session["id"], "session.idled", times=number)
    return await everruns.get(session["id"])


async def said(everruns: Everruns, id: str) -> list[object]:
    messages = (await everruns.read(f"/sessions/{id}/messages"))["data"]
    return [message["content"][0]["text"] for message in messages if message["role"] == "agent"]


@covers("fork", "session.previews")
async def test_a_fork_has_its_parents_past_and_goes_its_own_way(everruns: Everruns) -> None:
    parent = await conversed(everruns)
    assert parent["output_preview"] == "answer 2"
    assert parent["preview"].startswith("[")
    answer = await everruns.ask(
        "POST", f"/sessions/{parent['id']}/fork", json={"title": "child", "locale": "fr"}
    )
    assert answer.status_code == 201, answer.text
    child = as_session(answer.json())
    assert (child["title"], child["goal"], child["tags"], child["locale"]) == ("child", "g", ["a"], "fr")
    assert child["forked_from_session_id"] == parent["id"]
    assert await said(everruns, child["id"]) == ["answer 1", "answer 2"]
    await everruns.play(child["id"], {"say": "answer 3"})
    await everruns.until(child["id"], "session.idled", times=3)
    assert await said(everruns, child["id"]) == ["answer 1", "answer 2", "answer 3"]
    assert await said(everruns, parent["id"]) == ["answer 1", "answer 2"]
    listed = (await everruns.read("/sessions"))["data"]
    assert {one["title"]: one["output_preview"] for one in listed} == {
        "parent": "answer 2",
        "child": "answer 3",
    }
    await everruns.refused(404, "POST", f"/sessions/{absent('session')}/fork", json={})
    await everruns.refused(404, "POST", f"/sessions/{parent['id']}/fork", json={"agent_id": absent("agent")})
    await everruns.refused(404, "POST", f"/sessions/{parent['id']}/fork", json={"model_id": absent("model")})
    await everruns.refused(400, "POST", f"/sessions/{parent['id']}/fork", json={"locale": "?"})


@covers("fork.message")
async def test_a_fork_up_to_a_message_ends_with_it(everruns: Everruns) -> None:
    parent = await conversed(everruns)
    path = f"/sessions/{parent['id']}"
    messages = (await everruns.read(path + "/messages"))["data"]
    up_to = {"up_to_message_id": messages[1]["id"]}
    child = (await everruns.ask("POST", path + "/fork", json=up_to)).json()
    assert await said(everruns, child["id"]) == ["answer 1"]
    assert (child["status"], child["activity"]) == ("idle", "completed")
    await everruns.refused(404, "POST", path + "/fork", json={"up_to_message_id": absent("message")})
    await everruns.refused(400, "POST", path + "/fork", json={"up_to_message_id": "x"})


@covers("fork.mid-turn")
async def test_a_session_in_the_middle_of_a_turn_is_not_forked(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.play(id, {"sleep": 30})
    await everruns.until(id, "output.message.started")
    await everruns.refused(409, "POST", f"/sessions/{id}/fork", json={})
    await everruns.ask("POST", f"/sessions/{id}/cancel")
    answer = await everruns.ask("POST", f"/sessions/{id}/fork")
    assert answer.status_code == 201, answer.text


async def test_a_session_that_an_agent_has_started_names_its_parent_and_is_its_owners(
    everruns: Everruns,
) -> None:
    parent = await everruns.make(title="parent", capabilities=[])
    services, id = everruns.services, SessionId(UUID(parent["id"].removeprefix("session_")))
    overlay = Overlay(tools=("sessions",))
    await services.sessions.update(everruns.org, id, SessionChange(overlay=overlay), SOMEBODY)
    asked = {"agent": "default", "message": "hello"}
    await everruns.play(parent["id"], {"call": {"name": "run_session", "arguments": asked}}, {"say": "done"})
    await everruns.until(parent["id"], "session.idled")
    listed = (await everruns.read("/sessions", params={"source": "subagent"}))["data"]
    child = as_session(listed[0])
    assert [one["id"] for one in listed] == [child["id"]]
    assert (child["parent_session_id"], child["source"]) == (parent["id"], "subagent")
    assert child["owner_principal_id"] == parent["owner_principal_id"]
    assert await said(everruns, child["id"]) == ["echo: hello"]
    assert [one["id"] for one in (await everruns.read("/sessions", params={"source": "api"}))["data"]] == [
        parent["id"]
    ]
