import json
from typing import Any

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.service.sessions import NewSession
from tests.contract.everruns.asking import a_question, an_ask, asking
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.sdk import Sdk
from tests.contract.everruns.surface import Everruns, Json, absent, id_of
from tests.contract.everruns.waits import turn_over, until


async def say(everruns: Everruns, path: str, **body: Any) -> Json:
    answer = await everruns.ask("POST", path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def one(selected: str | None = None, **said: Any) -> list[Json]:
    return [{"id": "question", "selected": [] if selected is None else [selected]} | said]


@covers("answer.pending", "answer.question-set")
async def test_a_session_shows_what_it_waits_for(everruns: Everruns) -> None:
    it = await asking(everruns, a_question("q1", "red", "blue"), an_ask("approval", "a1"))
    shown = await everruns.read(it.channel)
    assert shown["status"] == "waitingforinput"
    [pending] = shown["pending_questions"]
    assert pending["tool_call_id"] == "q1"
    assert pending["questions"] == [
        {
            "id": "question",
            "question": "Which colour?",
            "kind": "choice",
            "options": [{"label": "red"}, {"label": "blue"}],
            "allow_other": True,
            "multi_select": False,
        }
    ]
    assert shown["pending_approvals"] == [{"tool_call_id": "a1", "tool": "push", "arguments": {"to": "main"}}]
    [listed] = (await everruns.read(it.channel.rpartition("/")[0]))["data"]
    assert not {"pending_questions", "pending_approvals"} & set(listed)


@covers("answer.question", "answer.twins")
@pytest.mark.parametrize("door", ["path", "channel"])
@pytest.mark.parametrize(
    ("answers", "text"),
    [
        (one("red"), "red"),
        (one(other_text="  green "), "green"),
        (one("blue", other_text="the dark one"), "blue: the dark one"),
    ],
)
async def test_an_answer_reaches_the_agent(
    everruns: Everruns, door: str, answers: list[Json], text: str
) -> None:
    it = await asking(everruns, a_question("q1", "red", "blue"))
    answered = await say(everruns, f"{getattr(it, door)}/question-answers", answers=answers)
    assert answered == {"status": "answered", "answered_by": "user", "session_status": "active"}
    assert await it.decided() == [("answer", text)]
    shown = await everruns.read(it.channel)
    assert shown["status"] == "active"
    assert "pending_questions" not in shown


@covers("answer.declined", "answer.none")
async def test_a_question_is_declined_once(everruns: Everruns) -> None:
    it = await asking(everruns, a_question("q1"), a_question("q2"))
    path = f"{it.path}/question-answers"
    declined = await say(everruns, path, status="declined", tool_call_id="q2")
    assert declined["status"] == "declined"
    assert [decision for decision, _ in await it.decided()] == ["deny"]
    problem = await everruns.refused(409, "POST", path, json={"tool_call_id": "q2", "answers": one("x")})
    assert problem["code"] == "already_resolved"
    problem = await everruns.refused(404, "POST", path, json={"tool_call_id": "q3", "answers": one("x")})
    assert problem["code"] == "nothing_pending"
    # Without a call it is about the one that is left.
    await say(everruns, path, answers=one(other_text="yes"))
    await everruns.refused(404, "POST", path, json={"answers": one("x")})
    await everruns.refused(404, "POST", f"{it.path}/tool-approvals", json={"decisions": [allow("q1")]})
    await everruns.refused(
        404, "POST", f"/sessions/{absent('session')}/question-answers", json={"answers": []}
    )


@covers("answer.mismatch", "answer.secret")
@pytest.mark.parametrize(
    "answers",
    [
        [],
        one("green"),
        one(),
        one(other_text=" "),
        one("red", id="other"),
        [*one("red"), *one("blue")],
        [{"id": "question", "selected": ["red", "blue"]}],
        [{"id": "question", "selected": "red"}],
        one("red", secret_ref="session:KEY"),
    ],
)
async def test_an_answer_that_does_not_fit_changes_nothing(everruns: Everruns, answers: Any) -> None:
    it = await asking(everruns, a_question("q1", "red", "blue"))
    await everruns.refused(400, "POST", f"{it.path}/question-answers", json={"answers": answers})
    assert await it.decided() == []


def allow(call: str, decision: str = "allow") -> Json:
    return {"tool_call_id": call, "decision": decision}


@covers("approval.decide", "answer.twins")
@pytest.mark.parametrize("door", ["path", "channel"])
async def test_every_call_that_waits_is_settled_at_once(everruns: Everruns, door: str) -> None:
    calls = ("a1", "a2", "a3", "a4", "a5")
    it = await asking(everruns, *(an_ask("approval", call) for call in calls))
    decisions = [
        allow("a1"),
        allow("a2", "reject"),
        allow("a3", "allow_always"),
        allow("a4", "reject_always"),
    ]
    resolved = await say(everruns, f"{getattr(it, door)}/tool-approvals", decisions=decisions)
    outcomes = ("allow", "reject", "allow_always", "reject_always", "not_approved")
    assert resolved == {
        "resolved": [
            {"tool_call_id": call, "tool": "push", "outcome": outcome}
            for call, outcome in zip(calls, outcomes, strict=True)
        ],
        "status": "active",
    }
    assert [decision for decision, _ in await it.decided()] == ["allow", "deny", "allow", "deny", "deny"]
    assert (await everruns.read(it.channel))["status"] == "active"
    problem = await everruns.refused(
        409, "POST", f"{it.path}/tool-approvals", json={"decisions": [allow("a1")]}
    )
    assert problem["code"] == "already_resolved"


@covers("approval.always")
@pytest.mark.parametrize(
    ("decision", "types"),
    [
        ("allow_always", ["ask.opened", "ask.decided"]),
        ("reject_always", ["ask.opened", "ask.decided", "tool.denied"]),
        ("allow", ["ask.opened", "ask.decided", "ask.opened"]),
    ],
)
async def test_a_decision_for_always_is_remembered(
    everruns: Everruns, decision: str, types: list[str]
) -> None:
    agent = AgentSpec(name="clerk", tools=("current_time",), tool_policy={"current_time": "ask"})
    await everruns.services.agents.create(everruns.org, agent)
    session = await everruns.native(NewSession(agent="clerk"))
    call = {"call": {"name": "current_time"}}
    await everruns.send(session, json.dumps([call, call, {"say": "done"}]))
    seq = await until(everruns, session, "turn.waiting")
    place = f"/channels/clerk/sessions/{id_of('session', session)}"
    [pending] = (await everruns.read(place))["pending_approvals"]
    assert pending["tool"] == "current_time"
    await say(everruns, f"{place}/tool-approvals", decisions=[allow(pending["tool_call_id"], decision)])
    await until(everruns, session, "turn.completed", "turn.waiting", after=seq)
    wanted = ("ask.opened", "ask.decided", "tool.denied")
    found = await everruns.services.feed.page(everruns.org, session, 0, 1_000, wanted)
    assert [event.type for event in found] == types


@covers("answer.question", "agent.capabilities")
async def test_an_agent_asks_and_goes_on_with_the_answer(everruns: Everruns) -> None:
    body = {"name": "clerk", "system_prompt": "", "capabilities": [{"ref": "ask_user"}]}
    assert (await everruns.ask("POST", "/agents", json=body)).status_code == 201
    session = await everruns.native(NewSession(agent="clerk"))
    question = {"question": "Which colour?", "options": ["red", "blue"]}
    steps = [{"call": {"name": "ask_user", "arguments": question}}, {"say": "done"}]
    await everruns.send(session, json.dumps(steps))
    seq = await until(everruns, session, "turn.waiting")
    place = f"/channels/clerk/sessions/{id_of('session', session)}"
    [pending] = (await everruns.read(place))["pending_questions"]
    assert pending["questions"][0]["options"] == [{"label": "red"}, {"label": "blue"}]
    await say(everruns, f"{place}/question-answers", answers=one("blue"))
    await turn_over(everruns, session, seq)
    events = (await everruns.read(f"{place}/events", params={"limit": 500}))["data"]
    [done] = [event["data"] for event in events if event["type"] == "tool.completed"]
    assert "blue" in json.dumps(done["result"])


@covers("approval.decide", "answer.none")
async def test_decisions_that_name_no_waiting_call_change_nothing(everruns: Everruns) -> None:
    it = await asking(everruns, an_ask("approval", "a1"), a_question("q1"))
    path = f"{it.path}/tool-approvals"
    for status, decisions in (
        (404, [allow("nothing")]),
        (404, [allow("a1"), allow("q1")]),
        (400, [allow("a1"), allow("a1", "reject")]),
        (400, []),
        (400, [allow("a1", "maybe")]),
    ):
        await everruns.refused(status, "POST", path, json={"decisions": decisions})
    assert await it.decided() == []


@covers("approval.role", "auth.org")
async def test_neither_a_worker_nor_a_stranger_answers(everruns: Everruns) -> None:
    it = await asking(everruns, an_ask("approval", "a1"), a_question("q1"))
    worker, other = await everruns.role("reporter"), await everruns.other_org()
    for door in (it.path, it.channel):
        for verb, body in (
            ("question-answers", {"answers": one("x")}),
            ("tool-approvals", {"decisions": [allow("a1")]}),
        ):
            await worker.refused(403, "POST", f"{door}/{verb}", json=body)
            await other.refused(404, "POST", f"{door}/{verb}", json=body)
    assert await it.decided() == []


@covers("answer.client")
async def test_the_vendors_agent_client_answers_and_allows(everruns: Everruns, sdk: Sdk) -> None:
    it = await asking(everruns, a_question("q1", "red"), an_ask("approval", "a1"), an_ask("approval", "a2"))
    channel, _, session = it.channel.removeprefix("/channels/").partition("/sessions/")
    lived = await sdk.lives("vendor_answers.py", channel, session)
    assert lived["pending"] == [["q1"], ["a1", "a2"]]
    assert lived["answered"] == {"status": "answered", "answered_by": "user", "session_status": "active"}
    assert lived["resolved"] == [["a1", "allow"], ["a2", "not_approved"]]
    assert lived["again"] == [409, "already_resolved"]
    not_approved = ("deny", {"reason": "Nobody approved the call."})
    assert await it.decided() == [("answer", "red"), ("allow", None), not_approved]
