"""A client of the dialect for tests, and what an answer of it must look like."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import httpx2

from sojourn.domain.filter import Compare, SessionQuery
from sojourn.domain.ids import DEFAULT_ORG, OrgId
from sojourn.domain.record import SessionRecord
from sojourn.service.core import Services

ARN = "arn:aws:bedrock-agentcore:us-west-2:123456789012:runtime/My_agent-a1B2c3D4e5"
SESSION = "x-amzn-bedrock-agentcore-runtime-session-id"
ID = "a-session-of-the-runtime-0123456789"
STREAM = {"accept": "text/event-stream"}
EXCEPTIONS = {
    "AccessDeniedException": {403},
    "ConflictException": {409},
    "InternalServerException": {500},
    "ResourceNotFoundException": {404},
    "RetryableConflictException": {409},
    "RuntimeClientError": {424},
    "ThrottlingException": {429},
    "UnauthorizedException": {401},
    "ValidationException": {400, 405, 413},
}
REASONS = {"CannotParse", "FieldValidationFailed", "IdempotentParameterMismatchException"}


def signed(key: str) -> str:
    """The header of a signed request, as boto3 writes it."""
    scope = f"{key}/20300101/us-west-2/bedrock-agentcore/aws4_request"
    return f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature={'0' * 64}"


@dataclass(frozen=True)
class AgentCore:
    services: Services
    http: httpx2.AsyncClient
    key: str
    org: OrgId = DEFAULT_ORG

    async def ask(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **request: Any
    ) -> httpx2.Response:
        sent = {"authorization": signed(self.key)} | dict(headers or {})
        return await self.http.request(method, path, headers=sent, **request)

    async def invoke(
        self,
        payload: Any = "hello",
        session: str | None = ID,
        *,
        headers: Mapping[str, str] | None = None,
        place: str = quote(ARN, safe=""),
        **request: Any,
    ) -> httpx2.Response:
        """`payload` is a prompt, a JSON object or list, or bytes."""
        body = {"prompt": payload} if isinstance(payload, str) else payload
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        named = {} if session is None else {SESSION: session}
        path = f"/runtimes/{place}/invocations"
        return await self.ask("POST", path, headers=named | dict(headers or {}), content=content, **request)

    async def said(self, payload: Any = "hello", session: str | None = ID, **request: Any) -> str:
        answer = await self.invoke(payload, session, **request)
        assert answer.status_code == 200, answer.text
        return as_answer(answer)["result"]

    async def stop(self, session: str | None = ID, **request: Any) -> httpx2.Response:
        headers = ({} if session is None else {SESSION: session}) | request.pop("headers", {})
        path = f"/runtimes/{quote(ARN, safe='')}/stopruntimesession"
        return await self.ask("POST", path, headers=headers, **request)

    async def records(self, session: str = ID) -> Sequence[SessionRecord]:
        """The sessions of an id, newest first, with what they keep of this dialect."""
        where = Compare("alias", "eq", session)
        return await self.services.sessions.list(self.org, SessionQuery(where=where, facet="agentcore"))

    async def record(self, session: str = ID) -> SessionRecord:
        [record] = await self.records(session)
        return record


def as_answer(answer: httpx2.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-amzn-requestid"]
    body: dict[str, Any] = answer.json()
    assert set(body) - {"waiting"} == {"result"}
    return body


def as_lines(answer: httpx2.Response) -> list[Any]:
    """What the data lines of a stream say."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/event-stream"
    lines = answer.text.split("\n\n")
    assert lines.pop() == ""
    return [json.loads(line.removeprefix("data: ")) for line in lines if not line.startswith(":")]


def as_failure(answer: httpx2.Response, exception: str, status: int | None = None) -> dict[str, Any]:
    """An error as rest-json has it, of a type that the vendor's model knows."""
    assert answer.headers["x-amzn-errortype"] == exception, answer.text
    assert answer.status_code in (EXCEPTIONS[exception] if status is None else {status})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-amzn-requestid"] == answer.headers["x-request-id"]
    body: dict[str, Any] = answer.json()
    assert body["message"]
    if exception == "ValidationException":
        assert body["reason"] in REASONS
        assert set(body) <= {"message", "reason", "fieldList"}
        assert all(set(field) == {"name", "message"} for field in body.get("fieldList", []))
    else:
        assert set(body) == {"message"}
    return body


def fields(failure: dict[str, Any]) -> list[str]:
    assert failure["reason"] == "FieldValidationFailed"
    return [field["name"] for field in failure["fieldList"]]
