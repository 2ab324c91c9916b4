"""POST /api/active-sessions, and what bodies of all calls may look like."""

import asyncio
import re
from hashlib import sha256
from typing import Any

import pytest

from tests.contract.agent_swarm.calls import KEYS, PATH, Swarm, error
from tests.contract.agent_swarm.requirements import covers

ABSENT = "Invalid input: expected string, received undefined"


@covers("create.created", "create.agent", "row.keys", "row.instants")
async def test_two_fields_make_a_session_with_all_eleven_keys(either: Swarm) -> None:
    answer = await either.client.post(PATH, json={"agentId": "never-registered", "triggerType": "anything"})
    assert answer.status_code == 201
    assert answer.json().keys() == {"session"}
    session = answer.json()["session"]
    assert tuple(session) == KEYS
    assert (session["agentId"], session["triggerType"]) == ("never-registered", "anything")
    assert session["startedAt"] == session["lastHeartbeatAt"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", session["startedAt"])
    given = {"id", "agentId", "triggerType", "startedAt", "lastHeartbeatAt"}
    assert {key for key, value in session.items() if value is not None} == given
    assert await either.rows() == [session]


async def test_every_field_comes_back_as_it_was_given(swarm: Swarm) -> None:
    given = {
        "taskId": "a b/c",
        "inboxMessageId": "inbox-1",
        "taskDescription": 'żółw 🐢 \n"q"' + "x" * 3000,
        "runnerSessionId": "r",
        "runtimeInstanceId": "i",
    }
    session = await swarm.create(agent="ä", **given)
    assert given.items() <= session.items()
    assert (await swarm.rows())[0] == session


@covers("body.unknown")
async def test_what_is_not_a_clients_to_say_is_dropped(swarm: Swarm) -> None:
    said = {"id": "99999999-9999-4999-8999-999999999999", "startedAt": "2020-01-01T00:00:00.000Z"}
    session = await swarm.create(**said, providerSessionId="p", foo="bar")
    assert session["id"] != said["id"]
    assert session["startedAt"] != said["startedAt"]
    assert session["providerSessionId"] is None
    assert "foo" not in session


@covers("create.duplicate")
async def test_a_task_has_one_session_whoever_asks(either: Swarm) -> None:
    first = await either.create("task-1")
    for agent in ("agent-1", "agent-2"):
        body = {"agentId": agent, "triggerType": "t", "taskId": "task-1"}
        assert "task-1" in error(await either.client.post(PATH, json=body), 409)
    assert await either.rows() == [first]


async def test_sessions_without_a_task_are_as_many_as_are_made_and_an_empty_task_is_a_task(
    swarm: Swarm,
) -> None:
    for _ in range(3):
        await swarm.create()
    await swarm.create("")
    error(await swarm.client.post(PATH, json={"agentId": "a", "triggerType": "t", "taskId": ""}), 409)
    assert sorted(await swarm.tasks(), key=str) == ["", None, None, None]


@covers("create.race")
async def test_parallel_creates_of_a_task_make_exactly_one_session(either: Swarm) -> None:
    body = {"agentId": "agent-1", "triggerType": "t", "taskId": "raced"}
    answers = await asyncio.gather(*(either.client.post(PATH, json=body) for _ in range(24)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 23
    assert await either.tasks() == ["raced"]
    assert await either.world.problems() == []


@covers("create.again")
async def test_a_create_may_be_repeated_under_an_idempotency_key(swarm: Swarm) -> None:
    body = {"agentId": "a", "triggerType": "t", "taskId": "task-1"}
    headers = {"Idempotency-Key": "boot-1"}
    first = await swarm.client.post(PATH, json=body, headers=headers)
    again = await swarm.client.post(PATH, json=body, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    error(await swarm.client.post(PATH, json=body | {"agentId": "b"}, headers=headers), 409)
    assert len(await swarm.rows()) == 1


@covers("body.type")
@pytest.mark.parametrize(
    "content_type", [None, "text/plain", "application/x-www-form-urlencoded", "nonsense"]
)
async def test_the_content_type_of_a_body_does_not_matter(swarm: Swarm, content_type: str | None) -> None:
    headers = {} if content_type is None else {"Content-Type": content_type}
    body = b'{"agentId":"a","triggerType":"t"}'
    assert (await swarm.client.post(PATH, content=body, headers=headers)).status_code == 201


@covers("body.blank", "body.complaints")
@pytest.mark.parametrize("body", [b"", b"  \r\n\t "])
async def test_a_blank_body_is_an_empty_object(swarm: Swarm, body: bytes) -> None:
    assert (await swarm.client.post(f"{PATH}/cleanup", content=body)).json() == {"cleaned": 0}
    sentence = error(await swarm.client.post(PATH, content=body), 400)
    assert sentence == f"Validation error: agentId: {ABSENT}, triggerType: {ABSENT}"


@covers("body.malformed")
@pytest.mark.parametrize(
    "body",
    [b"{", b"{'a':1}", b"\xff", b'{"agentId":"\\ud800","triggerType":"t"}', b"[" * 100_000, b"NaN", b"{}{}"],
)
async def test_what_is_no_json_is_the_clients_mistake(swarm: Swarm, body: bytes) -> None:
    error(await swarm.client.post(PATH, content=body), 400)
    error(await swarm.client.post(f"{PATH}/cleanup", content=body), 400)
    error(await swarm.client.put(f"{PATH}/provider-session/x", content=body), 400)


@covers("body.kinds")
@pytest.mark.parametrize(
    ("body", "kind"),
    [(b"null", "null"), (b"[]", "array"), (b'"x"', "string"), (b"1", "number"), (b"true", "boolean")],
)
async def test_what_is_no_object_is_refused(swarm: Swarm, body: bytes, kind: str) -> None:
    answer = await swarm.client.post(f"{PATH}/cleanup", content=body)
    assert error(answer, 400) == f"Validation error: body: Invalid input: expected object, received {kind}"
    error(await swarm.client.post(PATH, content=body), 400)
    assert await swarm.rows() == []


@covers("body.null", "body.complaints")
async def test_all_complaints_about_a_body_are_told_at_once(swarm: Swarm) -> None:
    body: dict[str, Any] = {"agentId": "", "triggerType": 7, "taskId": None}
    body |= {"taskDescription": [], "runnerSessionId": {}}
    complaints = [
        "agentId: Too small: expected string to have >=1 characters",
        "triggerType: Invalid input: expected string, received number",
        "taskId: Invalid input: expected string, received null",
        "taskDescription: Invalid input: expected string, received array",
        "runnerSessionId: Invalid input: expected string, received object",
    ]
    sentence = error(await swarm.client.post(PATH, json=body), 400)
    assert sentence == "Validation error: " + ", ".join(complaints)
    assert await swarm.rows() == []


@covers("body.nul")
async def test_a_nul_is_refused_where_it_would_be_kept(either: Swarm) -> None:
    for field in ("agentId", "triggerType", "taskId", "taskDescription"):
        body = {"agentId": "a", "triggerType": "t"} | {field: "a\0b"}
        assert field in error(await either.client.post(PATH, json=body), 400)
    assert await either.rows() == []
    await either.create(foo="a\0b")


@covers("body.size")
async def test_long_fields_are_kept_and_only_a_body_over_the_limit_is_not(either: Swarm) -> None:
    long = "ż" * 500_000
    session = await either.create(task=long, agent=long, taskDescription=long)
    assert (await either.rows())[0] == session
    body = {"agentId": "a", "triggerType": "t", "taskId": long}
    error(await either.client.post(PATH, json=body), 409)
    body = {"agentId": "a", "triggerType": "t", "taskDescription": "x" * 8 * 1024 * 1024}
    error(await either.client.post(PATH, json=body), 413)
    assert len(await either.rows()) == 1


async def test_a_task_that_looks_like_a_digest_is_not_the_task_of_that_digest(swarm: Swarm) -> None:
    long = "x" * 600
    await swarm.create(long)
    digest = f"sha256:{sha256(long.encode()).hexdigest()}"
    await swarm.create(digest)
    assert await swarm.beat(digest)
    assert await swarm.delete_task(digest)
    assert await swarm.tasks() == [long]
