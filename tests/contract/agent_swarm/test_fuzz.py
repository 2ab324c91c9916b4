"""Whatever is sent, an answer of the dialect's own comes back."""

import json
from contextlib import closing
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import quote, urlsplit

from tests.client.server import ServerProcess
from tests.contract.agent_swarm.calls import PATH
from tests.contract.agent_swarm.requirements import covers

CASES = 2_500
METHODS = (
    *["GET", "POST", "POST", "POST", "PUT", "PUT", "DELETE"] * 2,
    "PATCH",
    "HEAD",
    "OPTIONS",
    "TRACE",
    "PROPFIND",
)
WORDS = (
    "heartbeat", "provider-session", "by-task", "cleanup", "recover-orphaned-tasks", "task-1", "%00", "%ff",
    "..", "%2e%2e", "%2F", "", "a%20b", "%", "01890000-0000-7000-8000-000000000000", "ż", "{id}",
)  # fmt: skip
FIELDS = (
    "agentId", "triggerType", "taskId", "inboxMessageId", "taskDescription", "runnerSessionId", "providerSessionId",
    "runtimeInstanceId", "maxAgeMinutes", "minAgeSeconds", "id", "__proto__",
)  # fmt: skip
# By status: the shape of the refusal is told by it.
PLAIN = 404
SENTENCE = {400, 401, 403, 409, 413}
SUCCESS = {
    200: ({"sessions"}, {"updated"}, {"deleted"}, {"cleaned"}, {"recovered", "tasks"}),
    201: ({"session"},),
}


def some_value(random: Random, depth: int = 0) -> Any:
    leaf = random.choice(
        [
            "",
            "a",
            "task-1",
            "a\0b",
            "ż🐢",
            "x" * 400,
            None,
            True,
            0,
            -1,
            5,
            1.5,
            2**53,
            10**30,
            1e300,
            "\u2028",
        ]
    )
    if depth > 2 or random.random() < 0.8:
        return leaf
    inner = [some_value(random, depth + 1) for _ in range(random.randrange(3))]
    return inner if random.random() < 0.5 else {random.choice(FIELDS): each for each in inner}


def some_body(random: Random) -> bytes:
    kind = random.random()
    if kind < 0.1:
        return b""
    if kind < 0.2:
        return random.randbytes(random.randrange(60))
    value = some_value(random) if kind < 0.3 else {f: some_value(random) for f in random.choices(FIELDS, k=4)}
    if kind > 0.6:
        value = {"agentId": "agent", "triggerType": "t", "taskId": random.choice(("task-1", "a b", "ż"))}
        if random.random() < 0.3:
            value[random.choice(FIELDS)] = some_value(random)
    text = json.dumps(value, ensure_ascii=random.random() < 0.5)
    if random.random() < 0.1:
        text = text[: random.randrange(len(text) + 1)]
    return text.encode("utf-8", "surrogatepass")


def some_path(random: Random) -> str:
    words = [quote(random.choice(WORDS), safe="%/{}") for _ in range(random.choice((0, 0, 1, 1, 2, 2, 2, 3)))]
    query = random.choice(("", "", "?agentId=agent", "?agentId=%ff&&=&agentId", "?" + "a=b&" * 300))
    return "/".join([PATH, *words]) + query


def some_headers(random: Random, key: str) -> dict[str, str]:
    headers = {"Authorization": f"Bearer {key}"}
    if random.random() < 0.1:
        headers["Authorization"] = random.choice((key, "Bearer", "Bearer \xff", "Basic x", f"bearer {key}"))
    for name, values in (
        ("Origin", ("https://a.example", "null", "\xe4")),
        ("If-None-Match", ("*", '"x"', ",,,", 'W/"')),
        ("Idempotency-Key", ("one", "two", "", "\xe4", "x" * 300)),
        ("X-Agent-ID", ("agent", "\xff")),
        ("Content-Type", ("text/plain", "application/json; charset=utf-16")),
    ):
        if random.random() < 0.2:
            headers[name] = random.choice(values)
    return headers


def check(method: str, answer: HTTPResponse, body: bytes) -> None:
    assert answer.getheader("access-control-allow-origin")
    assert answer.getheader("x-request-id")
    if method == "HEAD":
        assert (answer.status in (401, 404), body) == (True, b"")
    elif answer.status in (204, 304):
        assert body == b""
    elif answer.status == PLAIN:
        assert (body, answer.getheader("content-type")) == (b"Not Found", None)
    elif answer.status in SENTENCE:
        assert answer.getheader("content-type") == "application/json"
        found = json.loads(body)
        assert found.keys() == {"error"}
        assert found["error"]
    else:
        assert json.loads(body).keys() in SUCCESS[answer.status]


@covers("errors.fuzz")
async def test_whatever_is_sent_is_answered_in_the_dialects_own_shape(tmp_path: Path) -> None:
    random = Random(20260822)
    seen: set[int] = set()
    async with ServerProcess(tmp_path) as server:
        place = urlsplit(server.url)
        assert place.hostname is not None
        with closing(HTTPConnection(place.hostname, place.port, timeout=10)) as connection:
            for number in range(CASES):
                method, path, body = random.choice(METHODS), some_path(random), some_body(random)
                connection.request(method, path, body, some_headers(random, server.key))
                answer = connection.getresponse()
                try:
                    check(method, answer, answer.read())
                except (AssertionError, KeyError) as error:
                    error.add_note(f"case {number}: {method} {path} {body!r}: {answer.status}")
                    raise
                seen.add(answer.status)
    assert seen >= {200, 201, 204, 304, 400, 401, 403, 404, 409}
