import asyncio

from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, Json, as_problem

TOOL = {
    "type": "client_side",
    "name": "open_page",
    "description": "Opens a page",
    "parameters": {"type": "object", "properties": {"url": {"type": "string"}}},
}
NO_RESULTS: list[Json] = [{}, {"tool_results": []}, {"tool_results": [{}]}, {"tool_results": "x"}]
CALL: Json = {"call": {"name": "open_page", "arguments": {"url": "https://example.com"}}}


async def waiting(everruns: Everruns, *steps: Json) -> tuple[str, str]:
    """A session that waits for a client's tool, and the id of the call."""
    id = (await everruns.make(tools=[TOOL]))["id"]
    await everruns.play(id, CALL, *steps)
    events = await everruns.until(id, "tool.call_requested")
    [call] = events[-1]["data"]["tool_calls"]
    assert (call["name"], call["arguments"]) == ("open_page", {"url": "https://example.com"})
    assert (await everruns.get(id))["status"] == "waitingfortoolresults"
    return id, call["id"]


async def submit(everruns: Everruns, id: str, *results: Json) -> Json:
    answer = await everruns.ask("POST", f"/sessions/{id}/tool-results", json={"tool_results": results})
    assert answer.status_code == 200, answer.text
    return answer.json()


@covers("results.accepted", "events.client-tools", "status.waiting")
async def test_a_clients_result_resumes_its_turn(everruns: Everruns) -> None:
    id, call = await waiting(everruns, {"say": "it is open"})
    answer = await submit(everruns, id, {"tool_call_id": call, "result": {"title": "Example"}})
    assert answer == {"accepted": 1, "status": "active"}
    events = await everruns.until(id, "session.idled")
    [done] = [event["data"] for event in events if event["type"] == "tool.completed"]
    assert (done["tool_call_id"], done["status"], done["success"]) == (call, "success", True)
    assert "Example" in done["result"][0]["text"]
    assert [event["type"] for event in events].count("turn.started") == 1
    assert (await everruns.get(id))["status"] == "idle"


@covers("results.error")
async def test_a_clients_error_is_the_tools(everruns: Everruns) -> None:
    id, call = await waiting(everruns, {"say": "a pity"})
    await submit(everruns, id, {"tool_call_id": call, "error": "no such page"})
    events = await everruns.until(id, "session.idled")
    [done] = [event["data"] for event in events if event["type"] == "tool.completed"]
    assert (done["status"], done["error"]) == ("error", "no such page")


@covers("results.error")
async def test_a_result_that_looks_like_an_error_is_none(everruns: Everruns) -> None:
    id, call = await waiting(everruns, {"say": "well"})
    await submit(everruns, id, {"tool_call_id": call, "result": {"error": "as the page says"}})
    events = await everruns.until(id, "session.idled")
    [done] = [event["data"] for event in events if event["type"] == "tool.completed"]
    assert (done["status"], done["result"][0]["text"]) == ("success", '{"error": "as the page says"}')


@covers("results.accepted")
async def test_results_that_come_one_by_one_say_whether_others_are_waited_for(everruns: Everruns) -> None:
    id = (await everruns.make(tools=[TOOL]))["id"]
    await everruns.play(id, {"call": [CALL["call"], CALL["call"], CALL["call"]]}, {"say": "all"})
    asked = (await everruns.until(id, "tool.call_requested"))[-1]["data"]["tool_calls"]
    first, second, third = ({"tool_call_id": call["id"], "result": "ok"} for call in asked)
    path, keyed = f"/sessions/{id}/tool-results", {"idempotency-key": "first"}
    for _ in range(2):
        answer = await everruns.ask("POST", path, json={"tool_results": [first]}, headers=keyed)
        assert answer.json() == {"accepted": 1, "status": "waitingfortoolresults"}
    rivals = await asyncio.gather(*(submit(everruns, id, one) for one in (second, third)))
    # Whichever was last resumed the turn, and knows it; the other may know it as well.
    assert "active" in [answer["status"] for answer in rivals]
    await everruns.until(id, "turn.completed")


@covers("results.not-waiting")
async def test_results_that_nobody_waits_for_are_refused_with_the_clients_words(everruns: Everruns) -> None:
    id = (await everruns.make(tools=[TOOL]))["id"]
    results = {"tool_results": [{"tool_call_id": "x", "result": 1}]}
    problem = await everruns.refused(409, "POST", f"/sessions/{id}/tool-results", json=results)
    expected = "Session is not waiting for tool results (current status: started)"
    assert problem["error"]["message"] == problem["detail"] == expected


@covers("results.pending")
async def test_only_results_of_pending_calls_are_accepted(everruns: Everruns) -> None:
    id, call = await waiting(everruns)
    path = f"/sessions/{id}/tool-results"
    await everruns.refused(400, "POST", path, json={"tool_results": [{"tool_call_id": "other", "result": 1}]})
    assert (await everruns.get(id))["status"] == "waitingfortoolresults"
    both = ({"tool_call_id": "other", "result": 1}, {"tool_call_id": call, "result": "ok"})
    assert (await submit(everruns, id, *both))["accepted"] == 1


@covers("results.refused")
async def test_results_that_are_none_are_refused(everruns: Everruns) -> None:
    for body in NO_RESULTS:
        id = (await everruns.make())["id"]
        await everruns.refused(400, "POST", f"/sessions/{id}/tool-results", json=body)


@covers("results.repeat")
async def test_results_are_taken_once(everruns: Everruns) -> None:
    id, call = await waiting(everruns, {"say": "done"})
    path, body = f"/sessions/{id}/tool-results", {"tool_results": [{"tool_call_id": call, "result": "ok"}]}
    rivals = await asyncio.gather(*(everruns.ask("POST", path, json=body) for _ in range(5)))
    assert sorted(answer.status_code for answer in rivals) == [200, 409, 409, 409, 409]
    for answer in rivals:
        if answer.status_code == 409:
            assert "not waiting for tool results" in as_problem(answer, 409)["detail"]
    await everruns.until(id, "session.idled")
    id, call = await waiting(everruns, {"say": "done"})
    path, body = f"/sessions/{id}/tool-results", {"tool_results": [{"tool_call_id": call, "result": "ok"}]}
    keyed = [await everruns.ask("POST", path, json=body, headers={"idempotency-key": "k"}) for _ in range(2)]
    assert [answer.status_code for answer in keyed] == [200, 200]
    assert keyed[0].json() == keyed[1].json()


@covers("results.message")
async def test_a_message_instead_of_a_result_cancels_the_call_and_resumes(everruns: Everruns) -> None:
    id, call = await waiting(everruns, {"say": "well then"})
    assert (await everruns.say(id, "never mind"))["delivery"] == "resumed"
    events = await everruns.until(id, "session.idled")
    [done] = [event["data"] for event in events if event["type"] == "tool.completed"]
    assert (done["tool_call_id"], done["status"]) == (call, "cancelled")
    assert [event["type"] for event in events].count("turn.started") == 1


@covers("results.cancel")
async def test_a_waiting_turn_is_cancelled(everruns: Everruns) -> None:
    id, _ = await waiting(everruns)
    assert (await everruns.ask("POST", f"/sessions/{id}/cancel")).json()["status"] == "cancelled"
    assert (await everruns.get(id))["status"] == "idle"
    events = await everruns.events(id)
    assert [event["data"]["status"] for event in events if event["type"] == "tool.completed"] == ["cancelled"]


@covers("session.overlay")
async def test_what_a_session_adds_acts_on_its_turns(everruns: Everruns) -> None:
    session = await everruns.make(model_id="sim/echo", system_prompt="Be brief.")
    await everruns.say(session["id"], "hello")
    events = await everruns.until(session["id"], "session.idled")
    [said] = [event["data"] for event in events if event["type"] == "output.message.completed"]
    assert said["metadata"]["model"] == "sim/echo"
    assert said["message"]["content"][0]["text"] == "echo: hello"
    assert (await everruns.get(session["id"]))["system_prompt"] == "Be brief."
    path = f"/sessions/{session['id']}"
    resolved = await everruns.read(path + "/resolved-model")
    assert resolved["model_id"] == session["model_id"]
    fork = (await everruns.ask("POST", path + "/fork", json={"system_prompt": "Be long."})).json()
    assert (fork["system_prompt"], fork["model_id"]) == ("Be long.", session["model_id"])
