"""The vendor's own Python client against a server process."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import httpx2

from tests.client.server import ServerProcess
from tests.contract.agentcore.requirements import covers

FIRST = "first-session-0123456789-0123456789"


@covers(
    "auth.presigned",
    "auth.signed",
    "error.fields",
    "error.shape",
    "error.typed",
    "invoke.arn",
    "invoke.echo",
    "invoke.failed",
    "invoke.implicit",
    "invoke.no-id",
    "invoke.parallel",
    "invoke.prompt",
    "invoke.reopen",
    "invoke.repeated",
    "invoke.result",
    "invoke.runtime-id",
    "invoke.same",
    "invoke.trace",
    "optional",
    "stop.completed",
    "stop.echo",
    "stop.other-token",
    "stop.token",
    "stop.unknown",
    "stream.accept",
    "stream.lines",
)
async def test_the_vendors_client_lives_through_everything_it_can_do(
    lived: Mapping[str, Any], server: ServerProcess
) -> None:
    assert lived["first"] == {
        "runtimeSessionId": FIRST,
        "traceId": "Root=1-2",
        "traceParent": "00-1-2-01",
        "traceState": "a=b",
        "baggage": "c=d",
        "contentType": "application/json",
        "statusCode": 200,
        "body": {"result": "echo: hello"},
    }
    assert lived["again"] == {"result": 'echo: {"question": 7}'}
    assert lived["stream_type"] == "text/event-stream"
    assert lived["stream"] == ['data: "echo:"', 'data: " one"', 'data: " two"', 'data: " three"']
    assert str(UUID(lived["made_id"])) == lived["made_id"]
    assert lived["by_runtime_id"] == {"result": "echo: short"}
    assert lived["parallel"] == [f"echo: {number}" for number in range(8)]
    assert lived["presigned"] == {"result": "echo: presigned"}
    assert lived["late"]["answer"] == {"result": "late"}
    assert lived["late"]["retries"] > 0
    assert lived["stopped"] == lived["stopped_again"] == {"runtimeSessionId": FIRST, "statusCode": 200}
    assert lived["after_stop"] == {"result": "echo: back"}
    check_types(lived["errors"])
    kodexa = await sessions(server)
    assert sorted(kodexa) == sorted([FIRST, "p" * 40, "h" * 40, lived["made_id"]])
    assert kodexa[FIRST]["status"] == "TERMINATED"
    assert await turns(server, kodexa["h" * 40]["id"]) == 1
    assert await turns(server, kodexa["p" * 40]["id"]) == 8


def check_types(errors: Mapping[str, list[Any]]) -> None:
    """Each error was raised by its own type."""
    assert {name: seen[:3] for name, seen in errors.items()} == {
        "other_token": [400, "ValidationException", True],
        "unknown": [404, "ResourceNotFoundException", True],
        "unparsable": [400, "ValidationException", True],
        "failed": [424, "RuntimeClientError", True],
        "short_id": [400, "ValidationException", True],
        "account": [400, "ValidationException", True],
        "bad_key": [401, "UnauthorizedException", True],
        "command": [404, "ResourceNotFoundException", True],
        "card": [404, "ResourceNotFoundException", True],
        "stopped": [404, "ResourceNotFoundException", True],
    }
    assert errors["other_token"][3]["reason"] == "IdempotentParameterMismatchException"
    assert errors["unparsable"][3]["reason"] == "CannotParse"
    assert errors["failed"][3] == {"message": "The script says: fatal."}
    for name, field in (("short_id", "runtimeSessionId"), ("account", "accountId")):
        assert errors[name][3]["reason"] == "FieldValidationFailed"
        assert [each["name"] for each in errors[name][3]["fieldList"]] == [field]


async def sessions(server: ServerProcess) -> dict[str, dict[str, Any]]:
    """What Kodexa shows, by runtimeSessionId."""
    async with httpx2.AsyncClient(base_url=server.url, headers={"x-api-key": server.key}) as http:
        page = (await http.get("/api/orchestrator-agent-sessions")).json()
    return {session["runtimeSessionId"]: session for session in page["content"]}


async def turns(server: ServerProcess, session: str) -> int:
    headers = {"authorization": f"Bearer {server.key}"}
    async with httpx2.AsyncClient(base_url=server.url, headers=headers) as http:
        return len((await http.get(f"/sojourn/v1/sessions/{session}/turns")).json()["data"])
