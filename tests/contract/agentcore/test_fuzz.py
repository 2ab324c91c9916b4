"""Whatever is sent, the answer is one of the dialect's own."""

import random
from typing import Any, Final

import httpx2

from tests.contract.agentcore.requirements import covers
from tests.contract.agentcore.surface import (
    ARN,
    EXCEPTIONS,
    ID,
    SESSION,
    AgentCore,
    as_answer,
    as_failure,
    as_lines,
    signed,
)
from tests.web.served import ADMIN

CASES: Final = 2500
SEED: Final = 20_260_302
PLACES: Final = (
    "x",
    ARN,
    ARN.replace("/", "%2F").replace(":", "%3A"),
    "My_agent-a1B2c3D4e5",
    "%00",
    "%ff",
    "%2e%2e",
    "..%2F",
    "",
    "a/b",
    "a/b/c",
    "é",
    "x" * 3000,
)
VERBS: Final = (
    "invocations",
    "invocations",
    "invocations",
    "stopruntimesession",
    "stopruntimesession",
    "commands",
    "invocations/.well-known/agent-card.json",
    "ws",
    "nothing",
    "",
    "invocations/",
)
IDS: Final = (ID, ID, "b" * 40, "c" * 256, "", "short", "d" * 257, "-" * 40, "é" * 40, "a b" * 20, None, None)
BODIES: Final = (
    b"",
    b"{}",
    b"null",
    b"[]",
    b"7",
    b'"x"',
    b"{",
    b"[1,",
    b"\xff\xfe",
    b'{"prompt":',
    b'{"prompt":"\\ud800"}',
    b'{"prompt":"\\u0000"}',
    b'{"prompt":["\\u0000"]}',
    b'{"prompt":{"a":1e999}}',
    b'{"prompt":123456789012345678901234567890}',
    b'{"prompt":"x","prompt":"y"}',
    b'{"clientToken":null}',
    b'{"clientToken":7}',
    b'{"clientToken":"short"}',
    b'{"clientToken":"' + b"t" * 33 + b'"}',
    b'{"clientToken":"' + b"-" * 40 + b'"}',
    b"[" * 5000,
    b'{"a":' * 5000,
    b"[" * 5000 + b"]" * 5000,
    b'{"prompt":"[{\\"error\\":\\"fatal\\"}]"}',
    b'{"prompt":"[{\\"say\\":\\"said\\"}]"}',
    b'{"prompt":"' + b"long " * 20_000 + b'"}',
)
QUERIES: Final = (
    "",
    "",
    "qualifier=DEFAULT",
    "accountId=123456789012",
    "accountId=1",
    "accountId=%00",
    "accountId=1&accountId=1",
    "qualifier=%ff",
    "=",
    "&&&",
    "X-Amz-Credential=x",
    "prompt=x&qualifier=" + "y" * 3000,
)
ACCEPTS: Final = ("*/*", "application/json", "text/event-stream", "text/event-stream;q=0.5, */*", ",;,", "")
KEYS: Final = (
    *[f"Bearer {ADMIN}", signed(ADMIN)] * 6,
    "Bearer wrong",
    "AWS4-HMAC-SHA256 x",
    "",
    signed("a/b"),
)
HEADERS: Final = (
    "x-amzn-trace-id",
    "traceparent",
    "baggage",
    "amz-sdk-invocation-id",
    "idempotency-key",
    "content-type",
    "x-amzn-bedrock-agentcore-runtime-user-id",
    "mcp-session-id",
)
VALUES: Final = ("x", "", "é", "a b", "7" * 300, "application/json; charset=utf-16", "k=v")


class Chance:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def of(self, choices: Any) -> Any:
        return self._random.choice(choices)

    def one_in(self, number: int) -> bool:
        return self._random.randrange(number) == 0

    def request(self) -> dict[str, Any]:
        """Mostly what makes sense, so that what follows it meets something."""
        method = self.of(("GET", "PUT", "DELETE", "HEAD", "PATCH")) if self.one_in(8) else "POST"
        headers = {"authorization": self.of(KEYS), "accept": self.of(ACCEPTS)}
        if (id := self.of(IDS)) is not None:
            headers[SESSION] = id
        headers |= {self.of(HEADERS): self.of(VALUES) for _ in range(self._random.randrange(3))}
        body = self._random.randbytes(self._random.randrange(60)) if self.one_in(6) else self.of(BODIES)
        return {
            "method": method,
            "url": f"http://sojourn/runtimes/{self.of(PLACES)}/{self.of(VERBS)}?{self.of(QUERIES)}",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "content": body,
        }


def check(request: dict[str, Any], answer: httpx2.Response) -> None:
    exception = answer.headers.get("x-amzn-errortype")
    assert answer.status_code < 500, (request, answer.text)
    if request["method"] == "HEAD":
        return
    if answer.status_code >= 400:
        assert exception in EXCEPTIONS, (request, answer.text)
        as_failure(answer, exception)
    elif answer.headers["content-type"] == "text/event-stream":
        as_lines(answer)
    elif "stopruntimesession" in request["url"]:
        assert answer.json() == {}
    else:
        as_answer(answer)


@covers("error.shape")
async def test_whatever_is_sent_is_answered_in_the_dialects_own_way(agentcore: AgentCore) -> None:
    chance = Chance(SEED)
    statuses: dict[int, int] = {}
    for _ in range(CASES):
        request = chance.request()
        answer = await agentcore.http.request(**request)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1
        check(request, answer)
    assert {200, 400, 401, 404, 405, 424} <= set(statuses)
