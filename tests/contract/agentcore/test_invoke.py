import asyncio
import json
from datetime import timedelta
from urllib.parse import quote
from uuid import UUID

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.events import InputReceived
from sojourn.domain.filter import SessionQuery
from sojourn.domain.policy import Policy
from sojourn.domain.session import SessionStatus
from sojourn.service.agents import DEFAULT_AGENT
from sojourn.service.sessions import NewSession
from tests.contract.agentcore.hands import Hands
from tests.contract.agentcore.requirements import covers
from tests.contract.agentcore.surface import (
    ARN,
    ID,
    SESSION,
    AgentCore,
    as_answer,
    as_failure,
    fields,
)
from tests.support.world import SOMEBODY, World


@covers("invoke.payload", "invoke.prompt", "invoke.no-prompt")
@pytest.mark.parametrize(
    ("payload", "text"),
    [
        (b'{"prompt": "hi", "more": [1, {"prompt": 2}]}', "hi"),
        (b'{"prompt": "", "more": 1}', ""),
        ('{"prompt": "gr\\u00fc\u00df dich \U0001f600"}'.encode(), "gr\u00fc\u00df dich \U0001f600"),
        (b' {"prompt": 7} ', ' {"prompt": 7} '),
        (b'{"prompt": null}', '{"prompt": null}'),
        (b'{"input": {"prompt": "inner"}}', '{"input": {"prompt": "inner"}}'),
        (b"{}", "{}"),
        (b'"hello"', '"hello"'),
        (b"[1, 2]", "[1, 2]"),
        (b"-7.5e3", "-7.5e3"),
        (b"true", "true"),
    ],
)
async def test_the_text_is_the_prompt_or_the_whole_payload_whatever_its_type(
    agentcore: AgentCore, payload: bytes, text: str
) -> None:
    for type in ("application/json", "text/plain", "application/octet-stream", ""):
        assert await agentcore.said(payload, headers={"content-type": type}) == f"echo: {text}"


@covers("invoke.beside")
@pytest.mark.parametrize(
    ("payload", "beside"),
    [
        (b'{"prompt": "hi"}', "{}"),
        (
            b' {"a": 1e999, "prompt": "hi", "b": [12345678901234567890123, null]}',
            '{"a":1e999,"b":[12345678901234567890123, null]}',
        ),
        (b'{"prompt": "a", "x": "\\u00e9", "prompt": "b"}', '{"x":"\\u00e9"}'),
        (
            b'{"prompt": "hi", "deep": ' + b"[" * 500 + b"]" * 500 + b"}",
            '{"deep":' + "[" * 500 + "]" * 500 + "}",
        ),
        (b'{"prompt": {"a": 1}, "x": 1}', None),
        (b'"hello"', None),
    ],
)
async def test_what_stands_beside_the_prompt_is_in_the_log_as_it_was_written(
    agentcore: AgentCore, payload: bytes, beside: str | None
) -> None:
    await agentcore.said(payload)
    session = (await agentcore.record()).session.id
    feed = agentcore.services.feed
    [received] = await feed.page(agentcore.org, session, 0, 10, (InputReceived.type,))
    event = (await feed.read(received)).event
    assert isinstance(event, InputReceived)
    assert event.payload == beside


@covers("invoke.payload", "error.nul", "error.fields")
@pytest.mark.parametrize(
    "payload",
    [
        *(b"", b"hello", b"{", b"'x'", b"NaN", b"\xff", b"\x00", b"[" * 100_000),
        *(b'{"prompt": "x"', b'{"prompt": "x"} x', b'{"a": "\xff"}', b'{"prompt": "\xff"}'),
        *(b'{"prompt": "\\ud800"}', b'{"prompt": "a\x00"}'),
    ],
)
async def test_a_payload_that_is_no_json_is_refused_and_makes_no_session(
    agentcore: AgentCore, payload: bytes
) -> None:
    failure = as_failure(await agentcore.invoke(payload), "ValidationException", 400)
    assert failure["reason"] == "CannotParse"
    assert await agentcore.records() == []


@covers("error.nul")
@pytest.mark.parametrize(
    ("payload", "field"),
    [('{"prompt": "a\\u0000"}', "prompt"), ('{"a": ["\\u0000"]}', "a.0"), ('{"\\u0000": 1}', "\0")],
)
async def test_a_nul_is_refused_wherever_it_stands(agentcore: AgentCore, payload: str, field: str) -> None:
    failure = as_failure(await agentcore.invoke(payload.encode()), "ValidationException", 400)
    assert fields(failure) == [field]
    assert await agentcore.records() == []


@covers("invoke.limit")
async def test_a_payload_is_limited_to_a_hundred_million_bytes_and_not_to_less(agentcore: AgentCore) -> None:
    large = json.dumps({"prompt": "hi", "filler": "x" * 9_000_000}).encode()
    assert await agentcore.said(large) == "echo: hi"
    headers = {"content-length": "100000001"}
    failure = as_failure(await agentcore.invoke(b"{}", headers=headers), "ValidationException", 413)
    assert failure["reason"] == "CannotParse"


@covers("invoke.implicit", "invoke.same", "invoke.echo", "policy.defaults")
async def test_the_first_invocation_makes_a_session_and_the_next_continues_it(agentcore: AgentCore) -> None:
    for prompt in ("one", "two"):
        answer = await agentcore.invoke(prompt)
        assert as_answer(answer) == {"result": f"echo: {prompt}"}
        assert answer.headers[SESSION] == ID
    assert await agentcore.said("elsewhere", place=quote(ARN + "x", safe="")) == "echo: elsewhere"
    record = await agentcore.record()
    assert (record.origin, record.session.turns) == ("agentcore", 3)
    default = await agentcore.services.agents.resolve(agentcore.org, DEFAULT_AGENT)
    assert record.session.agent == default.id
    assert record.session.policy == Policy(idle_timeout_seconds=900, max_lifetime_seconds=28_800)


@covers("invoke.agent")
@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("My_agent-a1B2c3D4e5", quote(ARN, safe="")),
        ("My_agent", quote(ARN, safe="")),
        ("My_agent", "My_agent-a1B2c3D4e5"),
        (DEFAULT_AGENT, "My_agent-a1B2c3D4e5"),
        (DEFAULT_AGENT, "no-runtime"),
    ],
)
async def test_a_new_session_has_the_agent_that_is_called_like_the_runtime(
    agentcore: AgentCore, name: str, place: str
) -> None:
    if name != DEFAULT_AGENT:
        await agentcore.services.agents.create(agentcore.org, AgentSpec(name=name))
    await agentcore.said("hello", place=place)
    agent = await agentcore.services.agents.find(agentcore.org, name)
    assert (await agentcore.record()).session.agent == agent.id


@covers("invoke.kept", "invoke.runtime-id")
async def test_what_the_first_invocation_said_beside_its_payload_is_kept(agentcore: AgentCore) -> None:
    user = {"x-amzn-bedrock-agentcore-runtime-user-id": "somebody"}
    await agentcore.said(headers=user, params={"qualifier": "prod", "other": "x"})
    await agentcore.said(headers={}, params={"qualifier": "dev"})
    facet = (await agentcore.record()).facet
    assert facet is not None
    assert json.loads(facet) == {"agentRuntimeArn": ARN, "qualifier": "prod", "runtimeUserId": "somebody"}
    other = "b" * 40
    await agentcore.said("x", other, place="My_agent-a1B2c3D4e5", params={"accountId": "123456789012"})
    facet = (await agentcore.record(other)).facet
    assert facet is not None
    assert json.loads(facet) == {"agentRuntimeArn": "My_agent-a1B2c3D4e5", "accountId": "123456789012"}


@covers("invoke.arn")
@pytest.mark.parametrize(
    "place", [quote(ARN, safe=""), quote(ARN, safe=":"), quote(ARN, safe="/"), ARN, ARN.replace("/", "%2f")]
)
async def test_an_arn_may_be_encoded_or_not(agentcore: AgentCore, place: str) -> None:
    await agentcore.said(place=place)
    facet = (await agentcore.record()).facet
    assert facet is not None
    assert json.loads(facet)["agentRuntimeArn"] == ARN
    assert (
        await agentcore.ask("POST", f"/runtimes/{place}/stopruntimesession", headers={SESSION: ID})
    ).json() == {}


@covers("invoke.no-id")
async def test_without_a_session_id_one_is_made_and_told(agentcore: AgentCore) -> None:
    answers = [await agentcore.invoke("x", None) for _ in range(2)]
    ids = [answer.headers[SESSION] for answer in answers]
    assert len({UUID(id) for id in ids}) == 2
    assert await agentcore.said("y", ids[0]) == "echo: y"
    assert (await agentcore.record(ids[0])).session.turns == 2


@covers("invoke.id-checked", "error.fields", "stop.needs-id")
@pytest.mark.parametrize(
    "id", ["", "x" * 32, "x" * 257, "-" + "x" * 40, "x" * 33 + "/", "é" * 40, "x" * 33 + " y"]
)
async def test_a_session_id_that_cannot_be_is_refused(agentcore: AgentCore, id: str) -> None:
    headers = [(b"authorization", f"Bearer {agentcore.key}".encode()), (SESSION.encode(), id.encode())]
    for verb in ("invocations", "stopruntimesession"):
        answer = await agentcore.http.post(f"/runtimes/x/{verb}", headers=headers, content=b"{}")
        assert fields(as_failure(answer, "ValidationException", 400)) == ["runtimeSessionId"]
    assert fields(as_failure(await agentcore.stop(None), "ValidationException", 400)) == ["runtimeSessionId"]


@covers("invoke.id-checked")
async def test_a_session_id_of_any_allowed_length_is_taken(agentcore: AgentCore) -> None:
    for id in ("x" * 33, "9" + "_-" * 127 + "x"):
        assert (await agentcore.invoke("x", id)).headers[SESSION] == id
    assert len(await agentcore.records("9" + "_-" * 127 + "x")) == 1


@covers("stream.weight", "stream.accept")
@pytest.mark.parametrize(
    ("accept", "streams"),
    [
        ("text/event-stream", True),
        ("Text/Event-Stream; charset=utf-8", True),
        ("application/json, text/event-stream", True),
        ("text/event-stream;q=0.5, */*;q=0.1", True),
        ("text/event-stream ; Q=0.9, application/json;q=1", False),
        ("text/event-stream;q=0.1, */*", False),
        ("text/event-stream;q=0", False),
        ("text/event-stream;q=0.000, */*;q=0", False),
        ("text/event-stream;q=nan", True),
        ("text/*, */*", False),
        ("", False),
    ],
)
async def test_a_stream_comes_to_who_likes_json_no_better(
    agentcore: AgentCore, accept: str, streams: bool
) -> None:
    answer = await agentcore.invoke("x", headers={"accept": accept})
    assert answer.headers["content-type"] == ("text/event-stream" if streams else "application/json")


@covers("invoke.account-id")
async def test_an_account_id_has_twelve_digits(agentcore: AgentCore) -> None:
    for account in ("", "12345678901", "1234567890123", "12345678901x", "123456789012\n"):
        answer = await agentcore.invoke(params={"accountId": account})
        assert fields(as_failure(answer, "ValidationException", 400)) == ["accountId"]
    assert await agentcore.records() == []


@covers("invoke.parallel", "invoke.queue")
async def test_first_invocations_at_once_make_one_session_and_each_has_its_answer(
    agentcore: AgentCore,
) -> None:
    said = await asyncio.gather(*(agentcore.said(f"{number}") for number in range(20)))
    assert said == [f"echo: {number}" for number in range(20)]
    assert (await agentcore.record()).session.turns == 20


@covers("invoke.reopen", "stop.completed")
async def test_an_invocation_reopens_an_ended_session_and_makes_no_second(agentcore: AgentCore) -> None:
    await agentcore.said()
    for status in ("completed", "failed", "cancelled", "expired"):
        id = (await agentcore.record()).session.id
        await agentcore.services.sessions.end(agentcore.org, id, status, None, SOMEBODY)
        assert await agentcore.said(status) == f"echo: {status}"
        assert (await agentcore.record()).session.status is SessionStatus.OPEN


@covers("invoke.archived")
async def test_an_archived_session_cannot_be_invoked(agentcore: AgentCore) -> None:
    await agentcore.said()
    id = (await agentcore.record()).session.id
    await agentcore.services.sessions.archive(agentcore.org, id, True, SOMEBODY)
    as_failure(await agentcore.invoke(), "ConflictException")


@covers("invoke.newest")
async def test_the_newest_of_several_sessions_of_an_id_is_invoked(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    await world.new_session(NewSession(alias=ID))
    world.clock.advance(1)
    newest = await world.new_session(NewSession(alias=ID))
    asked = asyncio.create_task(by_hand.said())
    turn = await hands.claim()
    assert turn.session == newest
    await hands.finish(turn, "hi")
    assert await asked == "hi"


@covers("policy.defaults", "invoke.reopen")
async def test_a_session_ends_when_nobody_invokes_it_and_lives_again_when_somebody_does(
    by_hand: AgentCore, world: World, hands: Hands
) -> None:
    for _ in range(2):
        asked = asyncio.create_task(by_hand.said())
        await hands.finish(await hands.claim(), "hi")
        assert await asked == "hi"
        record = await by_hand.record()
        assert record.expires_at == world.clock.now() + timedelta(seconds=900)
        world.clock.advance(901)
        await world.services.upkeep.tick()
        assert (await by_hand.record()).session.status is SessionStatus.EXPIRED
    assert len(await world.services.sessions.list(world.org, SessionQuery())) == 1


@covers("invoke.trace")
async def test_the_trace_headers_come_back_as_they_were(agentcore: AgentCore) -> None:
    traces = {"x-amzn-trace-id": "Root=1", "traceparent": "00-1", "tracestate": "a=b", "baggage": "k=v"}
    answer = await agentcore.invoke(headers=traces)
    assert {name: answer.headers[name] for name in traces} == traces
    answer = await agentcore.invoke()
    assert not set(traces) & set(answer.headers)


@covers("invoke.repeated")
@pytest.mark.parametrize("name", ["amz-sdk-invocation-id", "idempotency-key"])
async def test_a_repeated_call_joins_the_first_ones_turn(agentcore: AgentCore, name: str) -> None:
    headers = {name: "3f0e-1"}
    first, second = await agentcore.invoke(headers=headers), await agentcore.invoke(headers=headers)
    assert first.json() == second.json() == {"result": "echo: hello"}
    assert second.headers["idempotent-replayed"] == "true"
    failure = as_failure(await agentcore.invoke("other", headers=headers), "ValidationException", 400)
    assert failure["reason"] == "IdempotentParameterMismatchException"
    assert await agentcore.said("other", headers={name: "3f0e-2"}) == "echo: other"
    assert (await agentcore.record()).session.turns == 2


@covers("invoke.repeated")
async def test_a_repeated_call_without_a_session_id_is_told_the_first_ones(agentcore: AgentCore) -> None:
    headers = {"amz-sdk-invocation-id": "3f0e-1"}
    answers = [await agentcore.invoke("x", None, headers=headers) for _ in range(2)]
    assert answers[0].headers[SESSION] == answers[1].headers[SESSION]


@covers("invoke.failed", "error.shape")
async def test_an_agent_that_fails_is_the_vendors_error(agentcore: AgentCore) -> None:
    failure = as_failure(await agentcore.invoke([{"error": "fatal"}]), "RuntimeClientError")
    assert failure["message"] == "The script says: fatal."
    assert await agentcore.said("go on") == "echo: go on"
