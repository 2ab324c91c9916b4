from sojourn.domain.agent import AgentSpec
from sojourn.service.sessions import NewSession
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, Json, absent, id_of

TURN = [
    "input.message",
    "session.activated",
    "turn.started",
    "reason.started",
    "output.message.started",
    "llm.generation",
    "reason.completed",
    "output.message.completed",
    "turn.completed",
    "session.idled",
]
ENDS = {"turn.completed", "turn.failed", "turn.cancelled", "turn.sealed"}


NONSENSE = [
    "types=nonsense",
    "exclude=nonsense",
    "limit=0",
    "limit=1001",
    "after_sequence=-1",
    "before_sequence=x",
    "since_id=event_1",
    "since_id=" + absent("session"),
    "after_sequence=1&since_id=" + absent("event"),
    "window=5",
    "around=x",
    "window=501&around=" + absent("event"),
    "from_ts=yesterday",
    "to_ts=2026-01-01T00:00:00",
    "from_ts=0001-01-01T00:00:00%2B12:00",
    "turn_id=x",
    "order_desc=maybe",
    "&".join(["types=turn.started"] * 65),
]


def types(events: list[Json]) -> list[str]:
    return [event["type"] for event in events]


def only(events: list[Json], type: str) -> Json:
    [event] = [event for event in events if event["type"] == type]
    return event["data"]


async def played(everruns: Everruns, *steps: Json) -> tuple[str, list[Json]]:
    """A new session that has had one turn, and its events."""
    id = (await everruns.make())["id"]
    await everruns.play(id, *steps)
    return id, await everruns.until(id, "session.idled")


def assert_rising(events: list[Json]) -> None:
    sequences = [event["sequence"] for event in events]
    assert sequences == sorted(set(sequences))
    ids = [event["id"] for event in events]
    assert ids == sorted(set(ids))


@covers("events.order", "events.sequence", "events.one-end", "events.list")
async def test_a_turn_is_told_from_the_message_to_the_idle_session(everruns: Everruns) -> None:
    id, events = await played(everruns, {"say": "Good evening."})
    assert types(events) == ["session.started", *TURN]
    assert_rising(events)
    assert await everruns.events(id) == events
    turn = only(events, "turn.started")["turn_id"]
    sent = only(events, "input.message")["message"]
    assert only(events, "session.activated") == {"turn_id": turn, "input_message_id": sent["id"]}
    said = only(events, "output.message.completed")
    message = said["message"]
    assert message["role"] == "agent"
    assert message["content"] == [{"type": "text", "text": "Good evening."}]
    assert message["phase"] == "final_answer"
    assert message["id"] == only(events, "output.message.started")["message_id"]
    done = only(events, "turn.completed")
    assert (done["turn_id"], done["iterations"], done["llm_call_count"], done["tool_call_count"]) == (
        turn,
        1,
        1,
        0,
    )
    assert (done["final_message_id"], done["final_answer_preview"]) == (message["id"], "Good evening.")
    assert done["usage"] == said["usage"] == only(events, "session.idled")["usage"]
    assert only(events, "reason.completed")["has_tool_calls"] is False
    assert only(events, "llm.generation")["output"]["text"] == "Good evening."
    assert all(event["context"].get("turn_id") in (turn, None) for event in events)
    assert {event["session_id"] for event in events} == {id}


@covers("events.tools")
async def test_tools_are_told_between_two_calls_of_the_model(everruns: Everruns) -> None:
    call: Json = {"call": {"name": "current_time", "arguments": {}}}
    missing = {"call": {"name": "no_such_tool", "arguments": {"a": 1}}}
    _, events = await played(everruns, call, missing, {"say": "late"})
    acts = ["act.started", "tool.started", "tool.completed", "act.completed"]
    calls = TURN[3:8]
    assert types(events) == ["session.started", *TURN[:3], *calls, *acts, *calls, *acts, *calls, *TURN[8:]]
    assert_rising(events)
    first, second = [event["data"] for event in events if event["type"] == "tool.completed"]
    assert (first["tool_name"], first["success"], first["status"]) == ("current_time", True, "success")
    assert first["result"][0]["type"] == "text"
    assert (second["tool_name"], second["success"], second["status"]) == ("no_such_tool", False, "error")
    assert "no_such_tool" in second["error"]
    started = [event["data"]["tool_call"] for event in events if event["type"] == "tool.started"]
    assert started[1] == {"id": second["tool_call_id"], "name": "no_such_tool", "arguments": {"a": 1}}
    asked = next(event["data"]["message"] for event in events if event["type"] == "output.message.completed")
    assert asked["phase"] == "commentary"
    assert [part["type"] for part in asked["content"]] == ["tool_call"]
    assert only(events, "turn.completed")["tool_call_count"] == 2


@covers("events.failed")
async def test_a_failed_turn_tells_the_user_why(everruns: Everruns) -> None:
    _, events = await played(everruns, {"error": "fatal"})
    assert types(events)[-4:] == [
        "reason.completed",
        "output.message.completed",
        "turn.failed",
        "session.idled",
    ]
    assert only(events, "reason.completed")["success"] is False
    failure = only(events, "turn.failed")
    said = only(events, "output.message.completed")
    assert said["error_code"] == failure["error_code"] == "error"
    assert said["message"]["content"][0]["text"] == failure["error"]
    assert sum(type in ENDS for type in types(events)) == 1


@covers("events.cancelled", "cancel")
async def test_a_cancelled_turn_says_so_and_a_second_cancel_does_nothing(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    path = f"/sessions/{id}/cancel"
    answer = await everruns.ask("POST", path, json={})
    assert answer.json() == {"status": "no_op", "message": "No turn currently running"}
    await everruns.play(id, {"sleep": 30}, {"say": "never"})
    await everruns.until(id, "output.message.started")
    answer = await everruns.ask("POST", path, json={})
    assert answer.status_code == 200
    assert answer.json() == {"status": "cancelled", "message": "Turn cancelled successfully"}
    events = await everruns.events(id)
    end = ["turn.cancelled", "input.message", "output.message.completed", "session.idled"]
    assert types(events)[-4:] == end
    texts = [event["data"]["message"]["content"][0]["text"] for event in events[-3:-1]]
    assert texts == ["User requested to cancel the work.", "Work was cancelled by user."]
    assert events[-4]["data"]["turn_id"] == only(events, "turn.started")["turn_id"]
    assert (await everruns.ask("POST", path)).json()["status"] == "no_op"
    assert await everruns.events(id) == events
    assert (await everruns.get(id))["status"] == "idle"


@covers("cancel.early")
async def test_a_turn_that_nobody_runs_yet_is_cancelled(everruns: Everruns) -> None:
    agent = AgentSpec(name="outside", runner="external")
    await everruns.services.agents.create(everruns.org, agent)
    id = (await everruns.make(agent_name="outside"))["id"]
    await everruns.say(id, "hello")
    assert (await everruns.get(id))["status"] == "active"
    answer = await everruns.ask("POST", f"/sessions/{id}/cancel")
    assert answer.json()["status"] == "cancelled"
    events = await everruns.events(id)
    assert types(events)[-4:-3] == ["turn.cancelled"]
    assert (await everruns.get(id))["status"] == "idle"


@covers("events.sealed")
async def test_a_turn_without_a_budget_is_sealed(everruns: Everruns) -> None:
    id, _ = await played(everruns, {"say": "one two three"})
    budget = {"subject_type": "session", "subject_id": id, "currency": "tokens", "limit": 1}
    answer = await everruns.ask("POST", "/budgets", json=budget)
    assert answer.status_code == 201, answer.text
    await everruns.play(id, {"say": "one two three"})
    await everruns.until(id, "session.idled", times=2)
    await everruns.play(id, {"say": "never"})
    events = await everruns.until(id, "session.idled", times=3)
    assert types(events)[-3:] == ["turn.sealed", "output.message.completed", "session.idled"]
    assert only(events, "turn.sealed")["reason"] == "budget"
    assert events[-2]["data"]["error_code"] == "budget"


@covers("events.elsewhere")
async def test_a_session_that_never_met_this_dialect_tells_the_same(everruns: Everruns) -> None:
    session = await everruns.native(NewSession(title="native"))
    id = id_of("session", session)
    await everruns.send(session, "hello")
    events = await everruns.until(id, "session.idled")
    assert types(events) == ["session.started", *TURN]


@covers("events.limit", "events.snap")
async def test_pages_go_back_from_the_end_and_hold_every_event_once(everruns: Everruns) -> None:
    id, events = await played(everruns, {"say": "one"})
    for number in range(2, 5):
        await everruns.play(id, {"say": "again"})
        events = await everruns.until(id, "session.idled", times=number)
    path = f"/sessions/{id}/events"
    answer = await everruns.ask("GET", path, params={"limit": 15})
    assert answer.headers["x-total-count"] == str(len(events))
    page = answer.json()["data"]
    assert page == events[-15:]
    collected = page
    while page:
        query = {"limit": 15, "before_sequence": collected[0]["sequence"]}
        page = (await everruns.read(path, params=query))["data"]
        assert len(page) <= 15
        assert not page or page[0]["type"] == "turn.started" or "turn.started" not in types(page)
        collected = page + collected
    assert collected == events
    assert await everruns.events(id, limit=1) == events[-1:]
    assert await everruns.events(id, limit=1000, order_desc="true") == events[::-1]


@covers("events.cursors")
async def test_a_list_goes_on_behind_any_event(everruns: Everruns) -> None:
    id, events = await played(everruns, {"call": {"name": "current_time", "arguments": {}}}, {"say": "late"})
    for place, event in enumerate(events):
        assert await everruns.events(id, since_id=event["id"]) == events[place + 1 :]
        assert await everruns.events(id, after_sequence=event["sequence"]) == events[place + 1 :]
        before = await everruns.events(id, before_sequence=event["sequence"])
        assert before == events[:place]
    assert await everruns.events(id, after_sequence=0) == events


@covers("events.foreign-id")
async def test_an_id_of_no_event_selects_by_its_time(everruns: Everruns) -> None:
    id, events = await played(everruns, {"say": "one"})
    other, _ = await played(everruns, {"say": "two"})
    assert await everruns.events(id, since_id="event_" + "0" * 32) == events
    assert await everruns.events(other, since_id=events[0]["id"]) == await everruns.events(other)
    last = (await everruns.events(other))[-1]["id"]
    assert await everruns.events(id, since_id=last) == []


@covers("events.around")
async def test_around_shows_both_sides_of_an_event(everruns: Everruns) -> None:
    id, events = await played(everruns, {"say": "one"})
    assert await everruns.events(id, around=events[4]["id"], window=2) == events[2:7]
    assert await everruns.events(id, around=events[0]["id"], window=1) == events[:2]
    assert await everruns.events(id, around=events[4]["id"]) == events
    for query in ({"since_id": events[0]["id"]}, {"after_sequence": 1}, {"before_sequence": 1}):
        await everruns.refused(
            400, "GET", f"/sessions/{id}/events", params={"around": events[0]["id"]} | query
        )


@covers("events.filters")
async def test_events_are_selected_by_everything_that_they_say(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.say(id, "Où est le Lémur ?", tags=["zoo", "night"])
    first = await everruns.until(id, "session.idled")
    await everruns.play(id, {"call": {"name": "current_time", "arguments": {}}}, {"say": "late"})
    events = await everruns.until(id, "session.idled", times=2)
    later = events[len(first) :]
    turn = later[-1]["data"]["turn_id"]
    exec_id = next(event["context"]["exec_id"] for event in later if event["type"] == "act.started")

    async def selected(**query: object) -> list[Json]:
        return await everruns.events(id, **query)

    assert (
        types(await selected(types=["turn.started", "turn.completed"]))
        == ["turn.started", "turn.completed"] * 2
    )
    assert "input.message" not in types(await selected(exclude="input.message"))
    both = {"types": ["turn.started", "turn.completed"], "exclude": ["turn.started"]}
    assert types(await selected(**both)) == ["turn.completed"] * 2
    assert {event["context"]["turn_id"] for event in await selected(turn_id=turn)} == {turn}
    of_call = types(await selected(exec_id=exec_id))
    assert of_call[0] == "reason.started"
    assert of_call[-1] == "act.completed"
    assert await selected(trace_id=later[-1]["context"]["trace_id"]) == await selected(turn_id=turn)
    assert types(await selected(tags=["day", "zoo"])) == ["input.message"]
    assert types(await selected(tool_name="current_time")) == ["tool.started", "tool.completed"]
    assert await selected(q="LÉMUR le", types="input.message") == [first[1]]
    assert await selected(q="nothing of the kind") == []
    assert await selected(from_ts=later[0]["ts"]) == later
    assert await selected(to_ts=first[-1]["ts"]) == first
    assert await selected(types="turn.completed", limit=1) == [events[-2]]
    assert await selected(types="voice.session.started") == []


@covers("events.refused")
async def test_what_no_list_of_events_can_be_is_refused(everruns: Everruns) -> None:
    for query in NONSENSE:
        id = (await everruns.make())["id"]
        problem = await everruns.refused(400, "GET", f"/sessions/{id}/events?{query}")
        if query == "types=nonsense":
            assert problem["detail"] == "types: unknown event type 'nonsense'"
        await everruns.refused(404, "GET", f"/sessions/{absent('session')}/events")


@covers("events.summary")
async def test_the_summary_counts_what_the_list_shows(everruns: Everruns) -> None:
    id, events = await played(everruns, {"say": "one"})
    path = f"/sessions/{id}/events/summary"
    summary = await everruns.read(path)
    assert (summary["total"], summary["turn_count"], summary["error_count"]) == (len(events), 1, 0)
    assert (summary["first_ts"], summary["last_ts"]) == (events[0]["ts"], events[-1]["ts"])
    counts = {one["event_type"]: one["count"] for one in summary["by_type"]}
    assert counts == {type: types(events).count(type) for type in types(events)}
    await everruns.play(id, {"error": "fatal"})
    events = await everruns.until(id, "session.idled", times=2)
    summary = await everruns.read(path)
    assert (summary["total"], summary["turn_count"]) == (len(events), 2)
    assert summary["error_count"] > 0
