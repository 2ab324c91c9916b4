import json

import pytest

from sojourn.domain.ids import OrgId, uuid7
from sojourn.domain.session import SessionStatus
from sojourn.service.sessions import NewSession
from tests.contract.agentcore.requirements import covers
from tests.contract.agentcore.surface import ID, SESSION, AgentCore, as_failure, fields
from tests.support.world import SOMEBODY

TOKEN = "stop-" + "7" * 30


@covers("stop.completed", "stop.echo", "stop.no-body")
@pytest.mark.parametrize("body", [b"", b"{}", b'{"clientToken": null}', b'{"more": 1}'])
async def test_a_stop_completes_the_session(agentcore: AgentCore, body: bytes) -> None:
    await agentcore.said()
    answer = await agentcore.stop(content=body, params={"qualifier": "DEFAULT"})
    assert (answer.status_code, answer.json(), answer.headers[SESSION]) == (200, {}, ID)
    assert (await agentcore.record()).session.status is SessionStatus.COMPLETED


@covers("stop.token", "stop.other-token")
async def test_a_token_stops_once_and_its_repetitions_are_answered_alike(agentcore: AgentCore) -> None:
    other = "b" * 40
    for session in (ID, other):
        await agentcore.said(session=session)
    answers = [await agentcore.stop(json={"clientToken": TOKEN}) for _ in range(2)]
    assert [(answer.status_code, answer.json(), answer.headers[SESSION]) for answer in answers] == [
        (200, {}, ID)
    ] * 2
    await agentcore.said("back")
    assert (await agentcore.stop(json={"clientToken": TOKEN})).status_code == 200
    assert (await agentcore.record()).session.status is SessionStatus.OPEN
    failure = as_failure(await agentcore.stop(other, json={"clientToken": TOKEN}), "ValidationException", 400)
    assert failure["reason"] == "IdempotentParameterMismatchException"
    assert (await agentcore.record(other)).session.status is SessionStatus.OPEN
    await agentcore.services.sessions.delete(agentcore.org, (await agentcore.record()).session.id, SOMEBODY)
    assert (await agentcore.stop(json={"clientToken": TOKEN})).status_code == 200


@covers("stop.token-checked", "error.fields")
@pytest.mark.parametrize(
    "token", ["", "a" * 32, "a" * 257, "-" + "a" * 40, "a" * 40 + "-", "a" * 40 + "_", 7, []]
)
async def test_a_token_that_cannot_be_is_refused(agentcore: AgentCore, token: object) -> None:
    await agentcore.said()
    failure = as_failure(await agentcore.stop(json={"clientToken": token}), "ValidationException", 400)
    assert fields(failure) == ["clientToken"]
    assert (await agentcore.record()).session.status is SessionStatus.OPEN


@covers("stop.token-checked")
@pytest.mark.parametrize("body", [b"{", b"x", b"\xff", b'{"clientToken": "a'])
async def test_a_stop_whose_body_is_no_json_is_refused(agentcore: AgentCore, body: bytes) -> None:
    await agentcore.said()
    failure = as_failure(await agentcore.stop(content=body), "ValidationException", 400)
    assert failure["reason"] == "CannotParse"


@covers("stop.unknown")
async def test_what_is_unknown_or_has_ended_cannot_be_stopped(agentcore: AgentCore) -> None:
    as_failure(await agentcore.stop(), "ResourceNotFoundException")
    await agentcore.said()
    await agentcore.stop()
    as_failure(await agentcore.stop(json={"clientToken": TOKEN}), "ResourceNotFoundException")
    await agentcore.said()
    assert (await agentcore.stop(json={"clientToken": TOKEN})).status_code == 200


@covers("auth.organisation", "stop.unknown", "invoke.implicit")
async def test_a_session_id_of_another_organisation_names_another_session(agentcore: AgentCore) -> None:
    services = agentcore.services
    org = OrgId(uuid7())
    await services.access.ensure_org(org, "other")
    await services.agents.ensure_default(org)
    key = await services.access.issue_key(org, "other", "admin")
    other = AgentCore(services, agentcore.http, key, org)
    await agentcore.said("a secret")
    mine = (await agentcore.record()).session.id
    as_failure(await other.stop(), "ResourceNotFoundException")
    as_failure(await other.stop(str(mine)), "ResourceNotFoundException")
    assert await other.said("hello") == "echo: hello"
    assert (await other.record()).session.id != mine
    assert (await other.stop()).status_code == 200
    assert (await agentcore.record()).session.status is SessionStatus.OPEN
    # Where another organisation's id is nobody's here, an invocation makes a session of its own.
    await other.said("hello", str(mine))
    assert (await other.record(str(mine))).session.id != mine
    assert (await agentcore.record()).session.turns == 1


@covers("shared.by-id")
async def test_a_session_that_was_made_elsewhere_is_invoked_and_stopped_by_its_own_id(
    agentcore: AgentCore,
) -> None:
    made = await agentcore.services.sessions.create(agentcore.org, NewSession(), SOMEBODY)
    id = made.value.session.id
    answer = await agentcore.invoke("hello", str(id))
    assert (answer.json(), answer.headers[SESSION]) == ({"result": "echo: hello"}, str(id))
    assert (await agentcore.stop(str(id))).status_code == 200
    record = await agentcore.services.sessions.get(agentcore.org, id)
    assert (record.session.status, record.session.turns, record.alias) == ("completed", 1, None)
    assert json.dumps(await agentcore.records(str(id))) == "[]"
