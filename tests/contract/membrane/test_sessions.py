"""Creating, reading, messaging, interrupting, stopping and reporting."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sojourn.domain.ask import NewAsk
from sojourn.domain.events import InputReceived
from sojourn.domain.ids import AskId, uuid7
from sojourn.domain.provider import Provider
from sojourn.domain.session import SessionStatus
from sojourn.service.forks import NewFork
from sojourn.service.sessions import NewSession
from sojourn.web.dialects.membrane import wire
from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import (
    WORKSPACE,
    Membrane,
    absent,
    answer_to,
    as_session,
    of,
    seen_by_acme,
)
from tests.support.world import SOMEBODY


@covers("create.answer", "shape.no-null", "shape.defaults", "status.worker")
async def test_a_new_session_is_queued_and_busy_and_nothing_of_it_is_null(membrane: Membrane) -> None:
    made = await membrane.make("Build a connector")
    assert (made["status"], made["state"], made["hasWorker"]) == ("queued", "busy", False)
    assert made["prompt"] == "Build a connector"
    assert (made["workspaceElementType"], made["workspaceElementId"]) == ("customer", "acme")
    assert made["tenantId"] == "acme"
    assert made["createdAt"] == made["lastActivityAt"] == made["updatedAt"]
    assert await membrane.get(made["id"]) == made
    of_workspace = await membrane.seen_as().make()
    assert of_workspace["workspaceElementId"] == WORKSPACE
    assert "tenantId" not in of_workspace
    types = await membrane.world.types(of(made["id"]))
    assert types == ["session.created", "input.received", "turn.queued"]


@covers("create.prompt", "create.no-null", "error.issues")
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prompt"),
        ({"prompt": ""}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({"prompt": 5}, "prompt"),
        ({"prompt": "x", "agentName": None}, "agentName"),
        ({"prompt": "x", "workspaceElementId": ""}, "workspaceElementId"),
        ({"prompt": "x", "agentHarnessId": ""}, "agentHarnessId"),
        ({"prompt": "x", "isExternal": "true"}, "isExternal"),
        ({"prompt": "a\0b"}, "prompt"),
    ],
)
async def test_a_field_that_is_not_as_it_should_be_is_named(
    on_sqlite: Membrane, body: dict[str, Any], field: str
) -> None:
    failure = await on_sqlite.refused(400, "POST", json=body)
    assert failure["type"] == "bad_request"
    assert "key" not in failure
    assert [issue["path"] for issue in failure["data"]["issues"]] == [[field]]
    assert await on_sqlite.ids() == []


@covers("create.fields", "create.unknown", "create.agent", "create.model")
async def test_what_the_client_says_of_a_session_is_given_back(on_sqlite: Membrane) -> None:
    said = {
        "workspaceElementType": "connector",
        "workspaceElementId": "con_1",
        "isExternal": False,
        "agentName": "connection-building",
        "agentHarnessId": "harness-1",
        "modelId": "anthropic/claude-haiku-4.5",
    }
    made = await on_sqlite.make("hello", **said, testCustomerId="c", unknown=[1])
    assert said.items() <= made.items()
    record = await on_sqlite.world.record(of(made["id"]))
    default = await on_sqlite.world.services.agents.resolve(on_sqlite.world.org, None)
    assert record.session.agent == default.id


@covers("create.model")
async def test_a_model_of_a_provider_that_is_stored_is_the_sessions_own(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    server = Provider(
        name="openai",
        kind="openai-compatible",
        base_url="https://8.8.8.8/v1",
        api_key=None,
        updated_at=world.clock.now(),
    )
    await world.services.models.put_provider(world.org, server)
    made = await on_sqlite.make("hello", modelId="openai/gpt-5.2")
    assert (await world.claim(of(made["id"]))).model == made["modelId"] == "openai/gpt-5.2"


@covers("create.model")
@pytest.mark.parametrize(
    ("model_id", "providers", "model"),
    [
        ("anthropic/claude-sonnet-4.6", (), None),
        ("anthropic/claude-sonnet-4.6", ("openai",), None),
        ("anthropic/claude-sonnet-4.6", ("anthropic",), "anthropic/claude-sonnet-4-6"),
        ("openai/gpt-5.2", ("anthropic", "openai"), "openai/gpt-5.2"),
        ("moonshotai/kimi-k2.5", ("moonshotai",), "moonshotai/kimi-k2.5"),
    ],
)
async def test_a_model_of_a_configured_provider_is_the_sessions_own(
    on_sqlite: Membrane, model_id: str, providers: tuple[str, ...], model: str | None
) -> None:
    world = on_sqlite.world
    services = replace(world.services, providers=providers)
    async with seen_by_acme(replace(world, services=services)) as membrane:
        made = await membrane.make("hello", modelId=model_id)
    assert made["modelId"] == model_id
    turn = await world.claim(of(made["id"]))
    assert turn.model == (model or "sim/echo")


@covers("create.enums")
@pytest.mark.parametrize("name", ["workspaceElementType", "agentName", "modelId"])
async def test_a_word_that_is_on_no_list_is_refused(on_sqlite: Membrane, name: str) -> None:
    failure = await on_sqlite.refused(400, "POST", json={"prompt": "x", name: "bogus"})
    assert failure["data"]["issues"][0]["path"] == [name]


@covers("create.every-word")
async def test_every_word_of_the_vendors_lists_is_taken(on_sqlite: Membrane) -> None:
    lists = {
        "workspaceElementType": wire.ElementType.__args__,
        "agentName": wire.AgentName.__args__,
        "modelId": wire.ModelId.__args__,
    }
    assert [len(words) for words in lists.values()] == [31, 6, 9]
    for name, words in lists.items():
        for word in words:
            assert (await on_sqlite.make("x", **{name: word}))[name] == word


@covers("create.attachments")
async def test_attachments_reach_the_agent_behind_the_prompt(on_sqlite: Membrane) -> None:
    attachments = [{"title": 'a "b"', "data": {"n": 1}}, {"title": "", "data": None}]
    made = await on_sqlite.make("look", promptAttachments=attachments)
    assert made["prompt"] == "look"
    (received,) = await on_sqlite.world.said(of(made["id"]), InputReceived)
    assert [part.text for part in received.content] == [
        "look",
        '\n\n<attachment title="a \\"b\\"">\n{"n":1}\n</attachment>',
        '\n\n<attachment title="">\nnull\n</attachment>',
    ]
    wrongs: list[Any] = [[{"title": "x"}], [{"data": 1}], [{"title": 1, "data": 1}], {}]
    for wrong in wrongs:
        await on_sqlite.refused(400, "POST", json={"prompt": "x", "promptAttachments": wrong})


@covers("create.repeat")
async def test_a_repeated_create_makes_one_session(membrane: Membrane) -> None:
    key = {"Idempotency-Key": "k1"}
    first = await membrane.ask("POST", json={"prompt": "x"}, headers=key)
    second = await membrane.ask("POST", json={"prompt": "x"}, headers=key)
    assert second.json() == first.json()
    assert second.headers["idempotent-replayed"] == "true"
    await membrane.refused(409, "POST", json={"prompt": "y"}, headers=key)
    # Another tenant's key is another key.
    other = await membrane.seen_as("umbrella").done("POST", json={"prompt": "x"}, headers=key)
    assert other["id"] != first.json()["id"]
    assert len(await membrane.ids()) == 1


@covers("create.policy", "status.expired")
async def test_a_session_in_which_nothing_happens_for_a_quarter_of_an_hour_ends(membrane: Membrane) -> None:
    world = membrane.world
    made = await membrane.make()
    await membrane.settle(made["id"])
    world.clock.advance(14 * 60)
    await world.services.upkeep.tick()
    assert (await membrane.get(made["id"]))["status"] == "running"
    world.clock.advance(2 * 60)
    await world.services.upkeep.tick()
    over = await membrane.seen_as("acme").get(made["id"])
    assert (over["status"], over["state"], over["hasWorker"]) == ("completed", "idle", False)
    assert "error" not in over


@covers("shape.id", "error.not-found")
async def test_only_the_dialects_own_ids_are_read(on_sqlite: Membrane) -> None:
    id = (await on_sqlite.make())["id"]
    odd = [id.upper(), str(of(id)), id[:-1], id + "0", "none", absent(), "%00", "%ff", f"{id}%20"]
    for text in odd:
        failure = await on_sqlite.refused(404, "GET", f"/{text}")
        assert (failure["type"], failure["key"]) == ("bad_request", "not_found")
    failure = await on_sqlite.refused(404, "GET", "/x")
    assert failure == {
        "type": "bad_request",
        "key": "not_found",
        "message": "Agent session with id 'x' not found",
    }
    unknown = absent()
    failure = await on_sqlite.refused(404, "PATCH", f"/{unknown}/stop")
    assert failure["message"] == f"Agent session with id '{unknown}' not found"


@covers("message.steer")
async def test_a_message_to_a_running_session_steers_it(membrane: Membrane) -> None:
    id = (await membrane.make())["id"]
    turn = await membrane.world.claim(of(id))
    said = await membrane.done("POST", f"/{id}/message", json={"input": "also add pagination"})
    assert (said["status"], said["state"]) == ("running", "busy")
    received = await membrane.world.said(of(id), InputReceived)
    assert [one.delivery for one in received] == ["queue", "steer"]
    await membrane.world.services.turns.settle(turn, [])
    # What the turn did not read is the next turn's.
    assert (await membrane.get(id))["state"] == "busy"


@covers("message.queued")
async def test_a_message_to_a_queued_session_is_appended(membrane: Membrane) -> None:
    id = (await membrane.make())["id"]
    said = await membrane.done("POST", f"/{id}/message", json={"input": "more"})
    assert (said["status"], said["state"]) == ("queued", "busy")


@covers("message.stays")
async def test_a_message_to_an_idle_session_leaves_its_status(membrane: Membrane) -> None:
    id = (await membrane.make())["id"]
    await membrane.settle(id)
    said = await membrane.done("POST", f"/{id}/message", json={"input": "more"})
    assert (said["status"], said["state"]) == ("running", "busy")
    assert (await membrane.get(id))["state"] == "busy"


@covers("message.resume")
@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "expired"])
async def test_a_message_to_a_session_that_is_over_resumes_it(membrane: Membrane, status: Any) -> None:
    id = (await membrane.make())["id"]
    await membrane.settle(id)
    await membrane.done("PATCH", f"/{id}", json={"error": {"message": "old"}})
    await membrane.world.services.sessions.end(membrane.world.org, of(id), status, None, SOMEBODY)
    said = await membrane.done("POST", f"/{id}/message", json={"input": "more"})
    assert (said["status"], said["state"]) == ("queued", "busy")
    # The error was the last run's.
    assert "error" not in said


@covers("message.waiting")
async def test_a_message_replaces_a_turn_that_waits_for_a_decision(membrane: Membrane) -> None:
    world = membrane.world
    id = (await membrane.make())["id"]
    turn = await world.claim(of(id))
    ask = NewAsk(id=AskId(uuid7()), kind="question", prompt={"text": "?"})
    await world.services.turns.wait(turn, [], [ask], "parked")
    waiting = await membrane.get(id)
    assert (waiting["status"], waiting["state"]) == ("running", "idle")
    said = await membrane.done("POST", f"/{id}/message", json={"input": "never mind"})
    assert (said["status"], said["state"]) == ("running", "busy")
    assert "turn.cancelled" in await world.types(of(id))


@covers("message.synthetic", "message.repeat")
async def test_a_synthetic_message_is_marked_and_a_repeated_one_is_sent_once(membrane: Membrane) -> None:
    id = (await membrane.make())["id"]
    await membrane.settle(id)
    request: dict[str, Any] = {
        "json": {"input": "go on", "synthetic": True, "attachments": [{"title": "t", "data": "d"}]},
        "headers": {"Idempotency-Key": "m1"},
    }
    await membrane.done("POST", f"/{id}/message", **request)
    again = await membrane.ask("POST", f"/{id}/message", **request)
    assert again.headers["idempotent-replayed"] == "true"
    as_session(again.json())
    users = [one for one in await membrane.messages(id) if one["role"] == "user"]
    assert [[part.get("synthetic") for part in one["parts"]] for one in users] == [[None], [True, True]]
    for wrong in ({}, {"input": ""}, {"input": None}, {"input": "x", "synthetic": "yes"}):
        await membrane.refused(400, "POST", f"/{id}/message", json=wrong)


@covers("interrupt.running", "interrupt.idle", "interrupt.repeat")
async def test_interrupt_stops_what_runs_and_nothing_else(membrane: Membrane) -> None:
    id = (await membrane.make())["id"]

    async def interrupt(**headers: str) -> bool:
        answer = await membrane.ask("POST", f"/{id}/interrupt", headers=headers)
        assert answer.status_code == 200
        assert set(answer.json()) == {"interrupted"}
        return answer.json()["interrupted"]

    key = {"Idempotency-Key": "i1"}
    assert not await interrupt()
    assert (await membrane.get(id))["status"] == "queued"
    await membrane.world.claim(of(id))
    assert await interrupt(**key)
    stopped = await membrane.get(id)
    assert (stopped["status"], stopped["state"]) == ("running", "idle")
    assert not await interrupt()
    await membrane.done("POST", f"/{id}/message", json={"input": "again"})
    await membrane.world.claim(of(id))
    # The repetition answers for the first turn and leaves the second alone.
    assert await interrupt(**key)
    assert (await membrane.get(id))["state"] == "busy"
    await membrane.done("PATCH", f"/{id}/stop")
    assert not await interrupt()


@covers("stop.cancels", "no-body")
async def test_stop_cancels_and_can_be_repeated(membrane: Membrane) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    id = (await membrane.make())["id"]
    await membrane.world.claim(of(id))
    answer = await membrane.ask("POST", f"/{id}/interrupt", headers=form)
    assert answer.json() == {"interrupted": True}
    stopped = await membrane.done("PATCH", f"/{id}/stop", headers=form)
    assert (stopped["status"], stopped["state"], stopped["hasWorker"]) == ("cancelled", "idle", False)
    assert await membrane.done("PATCH", f"/{id}/stop", headers=form) == stopped
    assert "error" not in stopped
    completed = (await membrane.make())["id"]
    await membrane.done("PATCH", f"/{completed}", json={"status": "completed"})
    assert (await membrane.done("PATCH", f"/{completed}/stop"))["status"] == "completed"


@covers("patch.fields")
async def test_a_worker_reports_what_it_did(membrane: Membrane) -> None:
    id = (await membrane.make())["id"]
    await membrane.settle(id)
    error = {"message": "slow", "type": "connection", "causedByError": {"message": "DNS"}, "data": [1, None]}
    report = {"title": "Acme", "summary": "Done", "output": {"a": {"b": None}}, "error": error}
    told = await membrane.done("PATCH", f"/{id}", json={**report, "opencodeSessionUuid": "u", "cost": 5})
    assert {name: told[name] for name in report if name != "error"} == {
        name: report[name] for name in report if name != "error"
    }
    assert told["error"]["message"] == "slow"
    # What a report leaves out stays; an empty one changes nothing.
    renamed = await membrane.done("PATCH", f"/{id}", json={"title": "New"})
    assert (renamed["title"], renamed["summary"]) == ("New", "Done")
    assert (await membrane.done("PATCH", f"/{id}"))["title"] == "New"
    assert (await membrane.world.record(of(id))).title == "New"


@covers("patch.ends")
@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
async def test_a_reported_end_ends_the_session(membrane: Membrane, status: str) -> None:
    id = (await membrane.make())["id"]
    await membrane.world.claim(of(id))
    body: dict[str, Any] = {"status": status, "state": "busy"}
    if status == "failed":
        body["error"] = {"type": "custom_code", "message": "boom"}
    ended = await membrane.done("PATCH", f"/{id}", json=body)
    assert (ended["status"], ended["state"]) == (status, "idle")
    assert ended.get("error") == body.get("error")
    assert (await membrane.world.record(of(id))).session.status is SessionStatus(status)
    # An end is an end: a later report of another changes what is said, and not what is.
    later = await membrane.done("PATCH", f"/{id}", json={"status": "running", "summary": "s"})
    assert (later["status"], later["summary"]) == (status, "s")


@covers("patch.report")
async def test_a_reported_state_stands_until_the_sessions_own_state_changes(membrane: Membrane) -> None:
    id = (await membrane.make())["id"]
    await membrane.settle(id)
    told = await membrane.done("PATCH", f"/{id}", json={"state": "busy"})
    assert (told["status"], told["state"]) == ("running", "busy")
    told = await membrane.done("PATCH", f"/{id}", json={"status": "starting"})
    assert (told["status"], told["state"]) == ("starting", "busy")
    assert await membrane.ids(status="starting") == [id]
    assert await membrane.ids(status="running") == []
    await membrane.done("POST", f"/{id}/message", json={"input": "more"})
    await membrane.settle(id)
    now = await membrane.get(id)
    assert (now["status"], now["state"]) == ("running", "idle")
    assert await membrane.ids(status="running") == [id]


@covers("patch.activity")
async def test_activity_is_told_as_an_instant_or_in_milliseconds(membrane: Membrane) -> None:
    world = membrane.world
    id = (await membrane.make())["id"]
    await membrane.settle(id)
    world.clock.advance(10 * 60)
    five_ago = world.clock.now() - timedelta(minutes=5)
    told = await membrane.seen_as("acme").done(
        "PATCH", f"/{id}", json={"lastActivityAt": round(five_ago.timestamp() * 1000)}
    )
    assert told["lastActivityAt"] == five_ago.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    now = world.clock.now().isoformat().replace("+00:00", "Z")
    told = await membrane.done("PATCH", f"/{id}", json={"lastActivityAt": now})
    assert told["lastActivityAt"][:19] == now[:19]
    # Activity is what keeps a session from ending.
    world.clock.advance(14 * 60)
    await world.services.upkeep.tick()
    assert (await membrane.get(id))["status"] == "running"


@covers("patch.refuses")
@pytest.mark.parametrize(
    "body",
    [
        {"state": "asleep"},
        {"status": "expired"},
        {"status": None},
        {"title": 5},
        {"error": {}},
        {"error": {"message": "x", "type": "planetary"}},
        {"output": []},
        {"output": {"a": "\0"}},
        {"lastActivityAt": "yesterday"},
        {"lastActivityAt": "2026-02-30T00:00:00Z"},
        {"lastActivityAt": "2026-03-01T10:00:00+00:00"},
        {"lastActivityAt": 1e300},
        {"lastActivityAt": True},
        [],
    ],
)
async def test_a_report_that_says_nothing_sensible_is_refused(on_sqlite: Membrane, body: Any) -> None:
    id = (await on_sqlite.make())["id"]
    await on_sqlite.refused(400, "PATCH", f"/{id}", json=body)


@covers("shape.derived", "shared.everywhere")
async def test_a_session_made_elsewhere_has_all_that_its_log_tells(membrane: Membrane) -> None:
    world, client = membrane.world, membrane.seen_as()
    empty = await world.new_session()
    assert (await client.get(empty.hex))["prompt"] == ""
    titled = await world.new_session(NewSession(title="Weekly report"))
    assert (await client.get(titled.hex))["prompt"] == "Weekly report"
    session = await world.new_session()
    await world.send(session, "p" * 5000)
    turn = await world.claim(session)
    await world.services.turns.settle(turn, await answer_to(world, turn, "All is done."))
    shown = await client.get(session.hex)
    assert shown["prompt"] == "p" * 5000
    assert shown["summary"] == "All is done."
    assert (shown["status"], shown["state"]) == ("running", "idle")
    assert shown["workspaceElementId"] == WORKSPACE
    assert set(await client.ids()) == {empty.hex, titled.hex, session.hex}
    await world.send(session)
    await world.services.turns.settle(await world.claim(session), [], "error", "No such model.")
    assert (await client.get(session.hex))["error"] == {"type": "internal", "message": "No such model."}
    await world.services.sessions.end(world.org, session, "failed", "out of luck", SOMEBODY)
    assert (await client.get(session.hex))["error"]["message"] == "out of luck"
    stopped = await client.done("PATCH", f"/{titled.hex}/stop")
    assert stopped["status"] == "cancelled"
    resumed = await client.done("POST", f"/{titled.hex}/message", json={"input": "x"})
    assert resumed["status"] == "queued"


@covers("shape.derived")
async def test_a_fork_of_a_session_begins_with_its_prompt(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    id = (await on_sqlite.make("What is new?"))["id"]
    turn = await world.claim(of(id))
    await world.services.turns.settle(turn, await answer_to(world, turn, "Nothing."))
    fork = (await world.services.forks.fork(world.org, of(id), NewFork(), SOMEBODY)).value.session.id
    workspace = on_sqlite.seen_as()
    shown = await workspace.get(fork.hex)
    assert (shown["prompt"], shown["summary"], shown["status"]) == ("What is new?", "Nothing.", "running")
    texts = [part.get("text") for one in await workspace.messages(fork.hex) for part in one["parts"]]
    assert [text for text in texts if text] == ["What is new?", "Nothing."]
    # A fork is nobody's but the workspace's, until somebody makes it through the dialect.
    await on_sqlite.refused(404, "GET", f"/{fork.hex}")
    await on_sqlite.seen_as("another").refused(404, "GET", f"/{fork.hex}")


async def test_a_rewound_session_is_shown_as_its_conversation_stands(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    id = (await on_sqlite.make("first"))["id"]
    turn = await world.claim(of(id))
    await world.services.turns.settle(turn, await answer_to(world, turn, "one"))
    end = (await world.record(of(id))).session.next_seq - 1
    await on_sqlite.done("POST", f"/{id}/message", json={"input": "second"})
    turn = await world.claim(of(id))
    await world.services.turns.settle(turn, await answer_to(world, turn, "two"))
    assert (await on_sqlite.get(id))["summary"] == "two"
    await world.services.rewinds.rewind(world.org, of(id), end, SOMEBODY)
    shown = await on_sqlite.get(id)
    assert (shown["prompt"], shown["summary"]) == ("first", "one")
    texts = [part.get("text") for one in await on_sqlite.messages(id) for part in one["parts"]]
    assert [text for text in texts if text] == ["first", "one"]
