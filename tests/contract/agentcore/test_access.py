from typing import Any

import pytest

from sojourn.domain.ids import DEFAULT_ORG
from tests.contract.agentcore.requirements import covers
from tests.contract.agentcore.surface import ID, SESSION, AgentCore, as_failure, signed
from tests.web.served import ADMIN

SCOPE = "20300101/us-west-2/bedrock-agentcore/aws4_request"
PLACES = [
    ("POST", "/runtimes/x/invocations"),
    ("POST", "/runtimes/x/stopruntimesession"),
    ("POST", "/runtimes/x/commands"),
    ("GET", "/runtimes/x/invocations/.well-known/agent-card.json"),
    ("GET", "/runtimes/x/ws"),
]


@covers("auth.signed", "auth.bearer")
@pytest.mark.parametrize(
    "authorization",
    [
        signed(ADMIN),
        f"AWS4-HMAC-SHA256 Credential={ADMIN}/{SCOPE},SignedHeaders=host,Signature=0",
        f"AWS4-HMAC-SHA256 SignedHeaders=host, Credential={ADMIN}/{SCOPE}, Signature=0",
        f"AWS4-ECDSA-P256-SHA256 Credential={ADMIN}/20300101/bedrock-agentcore/aws4_request, Signature=0",
        f"Bearer {ADMIN}",
        f"bearer  {ADMIN} ",
    ],
)
async def test_a_key_is_an_access_key_id_or_a_bearer_token(agentcore: AgentCore, authorization: str) -> None:
    assert await agentcore.said(headers={"authorization": authorization}) == "echo: hello"


@covers("auth.signed")
@pytest.mark.parametrize("key", ["a/b/c", "pat-1_2=3", "x+y"])
async def test_a_key_may_hold_what_divides_a_credential(agentcore: AgentCore, key: str) -> None:
    await agentcore.services.access.ensure_key(DEFAULT_ORG, "odd", "member", key)
    assert await agentcore.said(headers={"authorization": signed(key)}) == "echo: hello"


@covers("auth.presigned")
async def test_a_signature_may_stand_in_the_query(agentcore: AgentCore) -> None:
    params = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-Credential": f"{ADMIN}/{SCOPE}", "prompt": "x"}
    path = "/runtimes/x/invocations"
    answer = await agentcore.http.post(path, params=params, json={"prompt": "hello"})
    assert answer.json() == {"result": "echo: hello"}
    bad = params | {"X-Amz-Credential": f"wrong/{SCOPE}"}
    as_failure(await agentcore.http.post(path, params=bad, json={}), "UnauthorizedException")


@covers("auth.refused")
@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer wrong",
        ADMIN,
        f"Basic {ADMIN}",
        signed("wrong"),
        signed(""),
        "AWS4-HMAC-SHA256",
        f"AWS4-HMAC-SHA256 Credential={ADMIN}",
        f"AWS4-HMAC-SHA256 Credential={ADMIN}/x/y, Signature=0",
        f"AWS4-HMAC-SHA256 Signature={ADMIN}/{SCOPE}",
        "AWS4-HMAC-SHA256 " + "Credential=," * 5000,
    ],
)
async def test_without_a_good_key_nothing_is_done(agentcore: AgentCore, authorization: str | None) -> None:
    headers = {SESSION: ID} | ({} if authorization is None else {"authorization": authorization})
    for method, path in PLACES:
        answer = await agentcore.http.request(method, path, headers=headers, content=b"{}")
        as_failure(answer, "UnauthorizedException")
    assert await agentcore.records() == []


@covers("auth.role")
@pytest.mark.parametrize("role", ["admin", "member", "reporter", "worker"])
async def test_a_reporter_s_or_worker_s_key_may_not_invoke(agentcore: AgentCore, role: Any) -> None:
    key = await agentcore.services.access.issue_key(DEFAULT_ORG, role, role)
    headers = {"authorization": signed(key), SESSION: ID}
    for method, path in PLACES[:2]:
        answer = await agentcore.http.request(method, path, headers=headers, content=b"{}")
        if role in ("reporter", "worker"):
            as_failure(answer, "AccessDeniedException")
        else:
            assert answer.status_code == 200


@covers("optional")
@pytest.mark.parametrize(("method", "path"), PLACES[2:])
async def test_what_is_not_offered_is_not_found(agentcore: AgentCore, method: str, path: str) -> None:
    failure = as_failure(await agentcore.ask(method, path), "ResourceNotFoundException")
    assert failure["message"].startswith("This server offers no ")


@covers("error.shape", "error.unknown-path", "error.method")
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/runtimes", 404),
        ("POST", "/runtimes/", 404),
        ("POST", "/runtimes/x", 404),
        ("POST", "/runtimes/x/invocations/", 404),
        ("POST", "/runtimes//invocations", 404),
        ("POST", "/runtimes/%00/invocations", 404),
        ("POST", "/runtimes/%ff/invocations", 404),
        ("POST", "/runtimes/a/b/c/invocations", 404),
        ("POST", "/runtimes/x/unknown", 404),
        ("GET", "/runtimes/x/invocations", 405),
        ("PUT", "/runtimes/x/y/invocations", 405),
        ("OPTIONS", "/runtimes/x/stopruntimesession", 405),
        ("BREW", "/runtimes/x/invocations", 405),
        ("POST", "/runtimes/x/ws", 405),
    ],
)
async def test_what_the_framework_refuses_looks_like_any_other_failure(
    agentcore: AgentCore, method: str, path: str, status: int
) -> None:
    exception = "ResourceNotFoundException" if status == 404 else "ValidationException"
    as_failure(await agentcore.ask(method, path), exception, status)


@covers("error.no-redirect")
async def test_slashes_before_and_in_the_prefix_do_not_count(agentcore: AgentCore) -> None:
    for path in ("//runtimes/x/invocations", "///runtimes/x/invocations"):
        answer = await agentcore.ask("POST", f"http://sojourn{path}", content=b'{"prompt": "hello"}')
        assert answer.json() == {"result": "echo: hello"}


@covers("error.fields")
@pytest.mark.parametrize("query", ["accountId=1&accountId=2", "qualifier=%ff", "=x", "&".join(["a=b"] * 300)])
async def test_a_query_that_cannot_be_read_is_refused(agentcore: AgentCore, query: str) -> None:
    answer = await agentcore.ask("POST", f"/runtimes/x/invocations?{query}", content=b"{}")
    as_failure(answer, "ValidationException", 400)
