"""What runners of every kind do to a turn, as the dialect tells of it: the test is the worker."""

import json

import pytest

from sojourn.domain import events as e
from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import NewAsk
from sojourn.domain.ids import AskId, MessageId, uuid7
from sojourn.domain.kinds import AskKind
from sojourn.domain.kinds import Json as Value
from sojourn.ports.turns import ClaimedTurn
from tests.contract.everruns.asking import Asking, a_question, an_ask, asking, claimed, sent
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, Json, id_of


async def a_session_ask(everruns: Everruns, call: str) -> NewAsk:
    """For a session that stays at work: nobody claims the turns of its agent."""
    spec = AgentSpec(name=f"absent-{uuid7().hex}", runner="external")
    await everruns.services.agents.create(everruns.org, spec)
    child = {"session": str(uuid7()), "agent": spec.name, "message": "hello"}
    return an_ask("session", call, name="run_session", **child)


async def requested(everruns: Everruns, it: Asking) -> list[Json]:
    """The calls that clients were asked to carry out."""
    events = await everruns.events(id_of("session", it.session), types="tool.call_requested")
    return [call for event in events for call in event["data"]["tool_calls"]]


@covers("results.session", "status.waiting")
async def test_a_session_that_was_started_is_nothing_that_a_client_carries_out(everruns: Everruns) -> None:
    it = await asking(everruns, await a_session_ask(everruns, "s1"))
    assert await requested(everruns, it) == []
    body = {"tool_results": [{"tool_call_id": "s1", "result": "as if"}]}
    problem = await everruns.refused(409, "POST", f"{it.path}/tool-results", json=body)
    assert "not waiting for tool results" in problem["detail"]
    assert await it.decided() == []
    assert (await everruns.get(id_of("session", it.session)))["status"] == "active"


@covers("results.session")
async def test_a_client_carries_out_what_is_its_own_beside_a_session_that_was_started(
    everruns: Everruns,
) -> None:
    it = await asking(everruns, await a_session_ask(everruns, "s1"), an_ask("client_tool", "c1"))
    assert [call["id"] for call in await requested(everruns, it)] == ["c1"]
    results = [{"tool_call_id": call, "result": call} for call in ("s1", "c1")]
    answer = await everruns.ask("POST", f"{it.path}/tool-results", json={"tool_results": results})
    assert answer.json() == {"accepted": 1, "status": "active"}
    assert await it.decided() == [("answer", "c1")]


@covers("results.question")
async def test_a_question_of_no_tool_is_answered_as_the_call_that_it_is_told_as(everruns: Everruns) -> None:
    ask = NewAsk(id=AskId(uuid7()), kind="question", prompt={"question": "Which colour?"})
    it = await asking(everruns, ask)
    [call] = await requested(everruns, it)
    assert (call["name"], call["arguments"]) == ("ask_user", {"question": "Which colour?"})
    body = {"tool_results": [{"tool_call_id": call["id"], "result": "blue"}]}
    answer = await everruns.ask("POST", f"{it.path}/tool-results", json=body)
    assert answer.json() == {"accepted": 1, "status": "active"}
    assert await it.decided() == [("answer", "blue")]


def a_permission(call: str) -> NewAsk:
    options: list[Value] = [{"id": "y", "name": "Always", "kind": "allow_always"}]
    return an_ask("approval", call, options=options)


@covers("approval.program")
@pytest.mark.parametrize(
    ("decision", "decided"),
    [
        ("allow", ("allow", None)),
        ("allow_always", ("allow", {"always": True})),
        ("reject", ("deny", {"reason": "The user rejected the call."})),
        ("reject_always", ("deny", {"reason": "The user rejected the call.", "always": True})),
    ],
)
async def test_what_a_program_asks_before_it_acts_is_allowed_like_any_call(
    everruns: Everruns, decision: str, decided: tuple[str, Value]
) -> None:
    it = await asking(everruns, a_permission("p1"))
    assert await requested(everruns, it) == []
    [pending] = (await everruns.read(it.channel))["pending_approvals"]
    assert pending["tool_call_id"] == "p1"
    body = {"decisions": [{"tool_call_id": "p1", "decision": decision}]}
    answer = await everruns.ask("POST", f"{it.path}/tool-approvals", json=body)
    assert answer.status_code == 200, answer.text
    assert await it.decided() == [decided]


@covers("approval.always")
async def test_of_two_decisions_for_good_about_one_tool_the_refusal_stands(everruns: Everruns) -> None:
    it = await asking(everruns, an_ask("approval", "a1"), an_ask("approval", "a2"))
    decisions = [
        {"tool_call_id": "a1", "decision": "reject_always"},
        {"tool_call_id": "a2", "decision": "allow_always"},
    ]
    await everruns.ask("POST", f"{it.path}/tool-approvals", json={"decisions": decisions})
    record = await everruns.services.sessions.get(everruns.org, it.session)
    assert record.overlay is not None
    assert record.overlay.tool_policy == {"push": "deny"}


@covers("approval.always")
@pytest.mark.parametrize("kind", ["approval", "question"])
async def test_a_decision_for_good_about_no_tool_holds_for_this_time(
    everruns: Everruns, kind: AskKind
) -> None:
    ask = NewAsk(id=AskId(uuid7()), kind="approval", prompt={"text": "May I?"})
    others = [a_question("q1")] if kind == "question" else []
    it = await asking(everruns, ask, *others)
    body = {"decisions": [{"tool_call_id": f"ask_{ask.id.hex}", "decision": "allow_always"}]}
    answer = await everruns.ask("POST", f"{it.path}/tool-approvals", json=body)
    assert answer.status_code == 200, answer.text
    assert await it.decided() == [("allow", None)]


async def working(everruns: Everruns) -> ClaimedTurn:
    """A turn that the test runs."""
    return await claimed(everruns, (await sent(everruns)).session)


async def told(everruns: Everruns, turn: ClaimedTurn, *types: str) -> list[tuple[str, Json]]:
    events = await everruns.events(id_of("session", turn.session), types=types)
    return [(event["type"], event["data"]) for event in events]


@covers("events.compaction")
async def test_a_conversation_that_is_summarised_is_told_with_the_reason(everruns: Everruns) -> None:
    turns, turn = everruns.services.turns, await working(everruns)
    await turns.append(turn, [e.CompactionStarted(model="m"), e.CompactionCompleted(messages=4, summary="s")])
    call = e.ModelCalled(call=1, model="m", message=MessageId(uuid7()))
    await turns.append(turn, [call])
    await turns.append(
        turn, [e.MessageAbandoned(message=call.message, call=1), e.CompactionStarted(model="m")]
    )
    await turns.settle(turn, [], "error", "It is too long.")
    found = await told(everruns, turn, "context.compacting", "context.compacted", "context.compaction.failed")
    [begun, done, again, failed] = found
    assert begun[0] == again[0] == "context.compacting"
    assert (begun[1]["reason"], again[1]["reason"]) == ("proactive_budget", "request_too_large")
    assert done[0] == "context.compacted"
    assert (done[1]["messages_before"], done[1]["messages_after"]) == (4, 1)
    assert done[1]["duration_ms"] >= 0
    assert failed == ("context.compaction.failed", {"strategy": "summarization", "error": "It is too long."})


@covers("events.thinking")
async def test_what_a_program_thinks_is_told_before_what_it_says(everruns: Everruns) -> None:
    turns, turn = everruns.services.turns, await working(everruns)
    call = e.ModelCalled(call=1, model="m", message=MessageId(uuid7()))
    await turns.append(turn, [call])
    thought = e.ThoughtRecorded(call=1, text="Hm.")
    await turns.settle(turn, [thought, e.MessageCompleted(message=call.message, call=1, text="Blue.")])
    found = await told(everruns, turn, "reason.thinking.completed", "output.message.completed")
    assert [type for type, _ in found] == ["reason.thinking.completed", "output.message.completed"]
    assert found[0][1]["thinking"] == "Hm."
    assert "Hm." not in json.dumps(
        await everruns.read(f"/sessions/{id_of('session', turn.session)}/messages")
    )
