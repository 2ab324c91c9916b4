"""One session: made here and used elsewhere, and the other way round."""

from typing import Any
from uuid import UUID

from sojourn.domain.ids import SessionId
from tests.contract.agentcore.requirements import covers
from tests.contract.agentcore.surface import ID, AgentCore, as_answer, as_failure
from tests.support.world import SOMEBODY
from tests.web.served import ADMIN, Served

KODEXA = "/api/orchestrator-agent-sessions"


async def kodexa(agentcore: AgentCore, method: str, path: str = "", **request: Any) -> Any:
    answer = await agentcore.http.request(method, KODEXA + path, headers={"x-api-key": ADMIN}, **request)
    assert answer.is_success, answer.text
    return answer.json()


@covers("shared.kodexa")
async def test_kodexa_lists_a_session_with_its_runtime_session_id(agentcore: AgentCore) -> None:
    await agentcore.said()
    for query in (
        {},
        {"filter": f"runtimeSessionId=='{ID}'"},
        {"query": ID[5:20]},
        {"sort": "runtimeSessionId"},
    ):
        page = await kodexa(agentcore, "GET", params=query)
        assert [session["runtimeSessionId"] for session in page["content"]] == [ID]
    [session] = page["content"]
    assert (session["id"], session["status"]) == (str((await agentcore.record()).session.id), "IDLE")
    assert (await kodexa(agentcore, "PUT", f"/{session['id']}", json=session))["runtimeSessionId"] == ID
    await agentcore.said("again")
    assert (await agentcore.record()).session.turns == 2
    ended = session | {"changeSequence": None, "status": "TERMINATED"}
    await kodexa(agentcore, "PUT", f"/{session['id']}", json=ended)
    await agentcore.said("back")
    assert (await kodexa(agentcore, "GET"))["totalElements"] == 1


@covers("shared.kodexa")
async def test_a_record_of_kodexas_is_invoked_and_stopped(agentcore: AgentCore) -> None:
    made = await kodexa(agentcore, "POST", json={"runtimeSessionId": ID, "agentRuntimeId": "rt"})
    assert await agentcore.said() == "echo: hello"
    shown = await kodexa(agentcore, "GET", f"/{made['id']}")
    assert (shown["status"], shown["agentRuntimeId"], shown["expiresAt"]) == ("IDLE", "rt", None)
    assert shown["lastInvokedAt"] is not None
    await agentcore.stop()
    assert (await kodexa(agentcore, "GET", f"/{made['id']}"))["status"] == "TERMINATED"
    assert (await kodexa(agentcore, "GET"))["totalElements"] == 1


@covers("shared.kodexa")
async def test_a_record_that_gets_another_runtime_session_id_is_invoked_by_that(agentcore: AgentCore) -> None:
    made = await kodexa(agentcore, "POST", json={"runtimeSessionId": ID})
    other = "another-" + ID
    await kodexa(agentcore, "PUT", f"/{made['id']}", json=made | {"runtimeSessionId": other})
    await agentcore.said(session=other)
    assert str((await agentcore.record(other)).session.id) == made["id"]
    assert await agentcore.records() == []


@covers("shared.deleted")
async def test_the_id_of_a_deleted_session_is_not_found_and_begins_no_other(agentcore: AgentCore) -> None:
    made = await kodexa(agentcore, "POST", json={})
    await agentcore.services.sessions.delete(agentcore.org, SessionId(UUID(made["id"])), SOMEBODY)
    as_failure(await agentcore.invoke("hello", made["id"]), "ResourceNotFoundException", 404)
    assert (await kodexa(agentcore, "GET"))["totalElements"] == 0


@covers("shared.natively")
async def test_a_session_is_listed_and_read_natively_and_goes_on_there(
    agentcore: AgentCore, served: Served
) -> None:
    await agentcore.said()
    await agentcore.said("elsewhere", "b" * 40)
    [session] = (await served.client.get("/sessions", params={"alias": ID})).json()["data"]
    assert (session["id"], session["alias"]) == (str((await agentcore.record()).session.id), ID)
    path = f"/sessions/{session['id']}"
    sent = await served.client.post(f"{path}/inputs", json={"content": "natively"})
    assert sent.status_code in (200, 201, 202)
    assert as_answer(await agentcore.invoke("here"))["result"] == "echo: here"
    events = (await served.client.get(f"{path}/events", params={"limit": 100})).json()["data"]
    texts = [event["data"]["text"] for event in events if event["type"] == "message.completed"]
    assert texts == ["echo: hello", "echo: natively", "echo: here"]
