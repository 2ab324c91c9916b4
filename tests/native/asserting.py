"""What the tests of the native API look for in answers."""

from typing import Any
from uuid import UUID

import httpx

NOWHERE = "00000000-0000-7000-8000-000000000000"


def problem(response: httpx.Response, status: int, code: str, field: str | None = None) -> dict[str, Any]:
    """The body of a refusal, checked to be a whole problem of that kind."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"urn:sojourn:problem:{code}"
    assert (body["status"], body["code"]) == (status, code)
    assert body["title"]
    assert body["detail"]
    assert body["request_id"] == response.headers["x-request-id"]
    assert body.get("field") == field
    return body


def value(response: httpx.Response, status: int = 200) -> dict[str, Any]:
    """The body of a success."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body: dict[str, Any] = response.json()
    return body


async def new_session(client: httpx.AsyncClient, **fields: Any) -> dict[str, Any]:
    return value(await client.post("/sessions", json=fields), 201)


async def new_input(
    client: httpx.AsyncClient, session: str, text: str = "hello", **fields: Any
) -> dict[str, Any]:
    sent = await client.post(f"/sessions/{session}/inputs", json={"content": text, **fields})
    return value(sent, 202)


def is_uuid(text: str) -> bool:
    return str(UUID(text)) == text
