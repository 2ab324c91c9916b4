import json
from typing import Any
from uuid import UUID, uuid4

from sojourn.domain.agent import AgentSpec
from sojourn.domain.content import TextPart
from sojourn.domain.ids import InputId, SessionId
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import SOMEBODY, Everruns, absent, as_problem

ROLES = {"system", "user", "agent", "tool_result"}


NONSENSE: list[dict[str, Any]] = [
    {},
    {"message": {}},
    {"message": {"content": []}},
    {"message": {"content": "text"}},
    {"message": {"content": [{"type": "text"}]}},
    {"message": {"content": [{"type": "video", "text": "x"}]}},
    {"message": {"content": [{"type": "text", "text": "x"}], "role": "assistant"}},
    {"message": {"content": [{"type": "text", "text": "a\0"}]}},
    {"message": {"content": [{"type": "text", "text": "x"}]}, "client_message_id": "no uuid"},
    {"message": {"content": [{"type": "text", "text": "x"}]}, "controls": {"speed": "fast"}},
    {"message": {"content": [{"type": "text", "text": "x"}]}, "controls": {"locale": "?"}},
]


@covers("messages.create", "messages.list")
async def test_a_message_is_answered_as_the_log_tells_it(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    sent = await everruns.play(id, {"call": {"name": "current_time", "arguments": {}}}, {"say": "late"})
    assert (sent["role"], sent["session_id"], sent["delivery"]) == ("user", id, "started")
    events = await everruns.until(id, "session.idled")
    input = next(event for event in events if event["type"] == "input.message")
    assert sent["id"] == input["data"]["message"]["id"]
    assert sent["sequence"] == input["sequence"]
    messages = (await everruns.read(f"/sessions/{id}/messages"))["data"]
    assert [message["role"] for message in messages] == ["user", "agent", "tool_result", "agent"]
    assert messages[0] == {name: value for name, value in sent.items() if name != "delivery"}
    [call], [result] = messages[1]["content"], messages[2]["content"]
    assert (call["type"], result["type"]) == ("tool_call", "tool_result")
    assert result["tool_call_id"] == call["id"]
    assert len({message["id"] for message in messages}) == 4
    assert {message["role"] for message in messages} <= ROLES
    await everruns.refused(404, "GET", f"/sessions/{absent('session')}/messages")


@covers("messages.edited")
async def test_a_message_that_was_edited_elsewhere_is_as_its_turn_read_it(everruns: Everruns) -> None:
    agent = AgentSpec(name="outside", runner="external")
    await everruns.services.agents.create(everruns.org, agent)
    id = (await everruns.make(agent_name="outside"))["id"]
    sent = await everruns.say(id, "hello")
    session, input = SessionId(UUID(id[8:])), InputId(UUID(sent["id"][8:]))
    await everruns.services.inputs.edit(everruns.org, session, input, (TextPart("goodbye"),), SOMEBODY)
    [message] = (await everruns.read(f"/sessions/{id}/messages"))["data"]
    assert message["content"] == [{"type": "text", "text": "goodbye"}]


@covers("messages.steers", "messages.delivery")
async def test_a_message_to_an_active_session_steers_its_turn(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.play(id, {"sleep": 0.3}, {"call": {"name": "current_time", "arguments": {}}}, {"say": "a"})
    await everruns.until(id, "output.message.started")
    steer = await everruns.say(id, "and quickly")
    assert steer["delivery"] == "steered"
    events = await everruns.until(id, "session.idled")
    assert [event["type"] for event in events].count("turn.started") == 1


@covers("messages.model")
async def test_a_message_names_the_model_of_the_turn_that_it_starts(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    models = {model["model_id"]: model["id"] for model in (await everruns.read("/models"))["data"]}
    steps = json.dumps([{"call": {"name": "current_time", "arguments": {}}}, {"say": "by script"}])
    await everruns.say(id, steps, controls={"model_id": models["sim/echo"]})
    await everruns.until(id, "session.idled")
    await everruns.say(id, steps)
    events = await everruns.until(id, "session.idled", times=2)
    said = [event["data"]["message"] for event in events if event["type"] == "output.message.completed"]
    texts = ["".join(part.get("text", "") for part in message["content"]) for message in said]
    assert texts == [f"echo: {steps}", "", "by script"]
    # What the session has without a message's own word is as it was.
    assert (await everruns.read(f"/sessions/{id}/resolved-model"))["model_id"] == models["sim/script"]


@covers("messages.repeat")
async def test_a_message_that_is_sent_twice_is_one(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    own = str(uuid4())
    first = await everruns.say(id, "hello", client_message_id=own)
    again = await everruns.say(id, "hello", client_message_id=own)
    assert again == first | {"delivery": "duplicate"}
    path = f"/sessions/{id}/messages"
    other = {"message": {"content": [{"type": "text", "text": "other"}]}, "client_message_id": own}
    as_problem(await everruns.ask("POST", path, json=other), 422)
    headers = {"idempotency-key": "k"}
    body = {"message": {"content": [{"type": "text", "text": "keyed"}]}}
    keyed = [await everruns.ask("POST", path, json=body, headers=headers) for _ in range(2)]
    assert keyed[0].json()["id"] == keyed[1].json()["id"]
    assert keyed[1].headers["idempotent-replayed"] == "true"
    events = await everruns.until(id, "session.idled", times=1)
    assert [event["type"] for event in events].count("input.message") == 2
    # The same word in another session is another message.
    other_id = (await everruns.make())["id"]
    assert (await everruns.say(other_id, "hello", client_message_id=own))["delivery"] == "started"


@covers("messages.kept")
async def test_what_the_core_has_no_word_for_is_given_back(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    said: dict[str, Any] = {
        "controls": {
            "model_id": "sim/echo",
            "reasoning": {"effort": "low"},
            "speed": "flex",
            "hints": {"a": 1},
        },
        "metadata": {"thread": 7},
        "external_actor": {"source": "slack", "actor_id": "U1", "metadata": {"team": "T"}},
    }
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image", "url": "https://example.com/cat.png"},
        {"type": "image_file", "image_id": "img_1", "filename": "cat.png"},
    ]
    body = {"message": {"role": "user", "content": content}} | said
    answer = await everruns.ask("POST", f"/sessions/{id}/messages", json=body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["content"] == content
    assert {name: answer.json()[name] for name in said} == said
    [message, *_] = (await everruns.read(f"/sessions/{id}/messages"))["data"]
    assert message == {name: value for name, value in answer.json().items() if name != "delivery"}


@covers("messages.refused")
async def test_a_message_that_cannot_be_meant_is_refused(everruns: Everruns) -> None:
    for body in NONSENSE:
        id = (await everruns.make())["id"]
        await everruns.refused(400, "POST", f"/sessions/{id}/messages", json=body)
        assert (await everruns.read(f"/sessions/{id}/messages"))["data"] == []
        await everruns.refused(404, "POST", f"/sessions/{absent('session')}/messages", json=SOUND)
        unknown = SOUND | {"controls": {"model_id": absent("model")}}
        await everruns.refused(404, "POST", f"/sessions/{id}/messages", json=unknown)


SOUND: dict[str, Any] = {"message": {"content": [{"type": "text", "text": "x"}]}}


@covers("messages.export")
async def test_a_conversation_is_exported_in_two_formats(everruns: Everruns) -> None:
    id = (await everruns.make())["id"]
    await everruns.play(id, {"call": {"name": "current_time", "arguments": {}}}, {"say": "late"})
    await everruns.until(id, "session.idled")
    path = f"/sessions/{id}/export"
    answer = await everruns.ask("GET", path)
    assert answer.headers["content-type"] == "application/x-ndjson"
    assert answer.headers["content-disposition"].startswith("attachment")
    lines = [json.loads(line) for line in answer.text.splitlines()]
    assert lines == (await everruns.read(f"/sessions/{id}/messages"))["data"]
    document = await everruns.read(path, params={"format": "atif"})
    assert (document["schema_version"], document["session_id"]) == ("ATIF-v1.7", id)
    assert [step["source"] for step in document["steps"]] == ["user", "agent", "agent"]
    asked = document["steps"][1]
    assert asked["tool_calls"][0]["function_name"] == "current_time"
    assert asked["observation"]["results"][0]["source_call_id"] == asked["tool_calls"][0]["tool_call_id"]
    assert document["final_metrics"]["total_steps"] == 3
    await everruns.refused(400, "GET", path, params={"format": "pdf"})
    await everruns.refused(400, "GET", path, params={"format": "atif", "cursor": "x"})
    await everruns.refused(404, "GET", f"/sessions/{absent('session')}/export")


async def test_the_messages_are_those_of_the_conversation_as_it_stands_after_a_rewind(
    everruns: Everruns,
) -> None:
    id = (await everruns.make())["id"]
    await everruns.play(id, {"say": "first"})
    await everruns.until(id, "session.idled")
    session = SessionId(UUID(id[8:]))
    end = (await everruns.services.sessions.get(everruns.org, session)).session.next_seq - 1
    await everruns.play(id, {"say": "second"})
    await everruns.until(id, "session.idled", 2)
    await everruns.services.rewinds.rewind(everruns.org, session, end, SOMEBODY)
    told = len(await everruns.events(id))
    messages = (await everruns.read(f"/sessions/{id}/messages"))["data"]
    assert [message["role"] for message in messages] == ["user", "agent"]
    assert messages[1]["content"][0]["text"] == "first"
    exported = await everruns.ask("GET", f"/sessions/{id}/export")
    assert [json.loads(line) for line in exported.text.splitlines()] == messages
    atif = (await everruns.ask("GET", f"/sessions/{id}/export", params={"format": "atif"})).json()
    assert len(atif["steps"]) == 2
    # What happened stays told.
    assert told == len(await everruns.events(id))
    await everruns.play(id, {"say": "third"})
    await everruns.until(id, "session.idled", 3)
    messages = (await everruns.read(f"/sessions/{id}/messages"))["data"]
    assert [message["content"][0]["text"] for message in messages if message["role"] == "agent"] == [
        "first",
        "third",
    ]
