"""Whatever is sent to the paths of sessions, the answer is one of the dialect's own."""

from typing import Any, Final

from tests.contract.everruns.chance import Chance
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, absent, as_problem, as_session

CASES: Final = 2_200
SEED: Final = 20_261_122
NEW: Final[dict[str, tuple[Any, ...]]] = {
    "title": ("a title", None, ""),
    "goal": ("g", None),
    "locale": ("uk-UA", "?", None),
    "agent_id": (None, "agent_" + "0" * 31 + "1", "agent_1"),
    "agent_name": (None, "default", "nobody", "Not A Name"),
    "harness_id": (None, "harness_" + "0" * 31 + "1"),
    "harness_name": (None, "generic", "nothing"),
    "model_id": (None, "sim/echo", "model_" + "1" * 32, "x"),
    "system_prompt": ("Be brief.", None),
    "tags": ([], ["a"], ["__everruns_x"]),
    "capabilities": ([], [{"ref": "current_time"}], [{"ref": "x"}]),
    "tools": ([], [{"name": "t", "description": "", "parameters": {}, "type": "client_side"}], [{}]),
    "initial_files": ([], [{"path": "/a", "content": "x"}], [{"path": "..", "content": ""}]),
    "mcpServers": ({}, {"a": {"url": "http://10.0.0.1"}}, {"a": {"url": "http://["}}),
    "hints": ({}, {"a": [1, {"b": None}]}),
    "network_access": ({}, {"allowed": ["x"]}, None),
    "max_iterations": (0, 5, None),
    "workspace_id": (None, "wsp_" + "0" * 32),
    "source": ("chat", "api", "slack"),
}
CHANGE: Final[dict[str, tuple[Any, ...]]] = {name: NEW[name] for name in ("title", "goal", "locale", "tags")}
TEXT: Final = {"type": "text", "text": "hello"}
MESSAGE: Final[dict[str, tuple[Any, ...]]] = {
    "message": (
        {"content": [TEXT]},
        {"role": "user", "content": [TEXT, {"type": "image", "url": "x"}]},
        {"content": []},
        {"content": [{"type": "nothing"}]},
    ),
    "controls": (None, {"model_id": "sim/echo"}, {"locale": "?"}, {"hints": {"a": 1}}),
    "metadata": ({}, {"a": {"b": 1}}, None),
    "client_message_id": (None, "6f1c2c8e-5d6b-4a8f-9a55-0d5a6b1f6a01", "x"),
    "external_actor": (None, {"source": "s", "actor_id": "a"}),
    "tags": (None, ["a"], [5]),
}
RESULTS: Final[dict[str, tuple[Any, ...]]] = {
    "tool_results": ([], [{"tool_call_id": "a", "result": 1}], [{"tool_call_id": "", "error": "x"}])
}
SECRETS: Final[dict[str, tuple[Any, ...]]] = {"secrets": ({}, {"A": "b"}, {"": "x"}, {"a/b": "c"})}
FORK: Final[dict[str, tuple[Any, ...]]] = CHANGE | {
    "model_id": NEW["model_id"],
    "agent_id": NEW["agent_id"],
    "up_to_message_id": (None, "message_" + "0" * 32, "x"),
}
LISTS: Final = (
    "",
    "?limit=1&offset=1",
    "?limit=101",
    "?offset=99999999999999999999",
    "?search=%25_%5C",
    "?search=%00",
    "?status=idle,failed",
    "?status=x",
    "?source=chat",
    "?mine=true",
    "?order=last_activity",
    "?created_after=2026-01-01T00:00:00Z",
    "?created_before=9999-12-31T23:59:59.999999-12:00",
    "?created_after=0001-01-01T00:00:00%2B14:00",
    "?agent_id=agent_1",
    "?=",
)
EVENTS: Final = (
    "",
    "?limit=3",
    "?limit=3&before_sequence=60",
    "?after_sequence=9999999999999",
    "?before_sequence=0",
    "?since_id=event_" + "f" * 32,
    "?since_id=event_x",
    "?around=event_" + "0" * 32 + "&window=3",
    "?types=turn.started&exclude=turn.started",
    "?types=x",
    "?from_ts=9999-12-31T23:59:59-14:00",
    "?to_ts=0001-01-01T00:00:00Z",
    "?q=a%20b&order_desc=true",
    "?tags=a&tags=b&tool_name=x&turn_id=turn_" + "0" * 32,
    "?after_sequence=1&since_id=event_" + "0" * 32,
)


class Drawn:
    """Requests below the sessions that there are, and some that are not."""

    def __init__(self) -> None:
        self.chance = Chance(SEED)
        self.ids = [absent("session")]

    def place(self) -> str:
        odd = ("session_x", "%00", "%ff", "..", "a%2fb", "stats", "facets", "")
        return "/sessions/" + self.chance.of((*self.ids, *self.ids, *self.ids, *odd))

    def request(self) -> tuple[str, str, dict[str, Any]]:
        of, body, place = self.chance.of, self.chance.payload, self.place()
        drawn: tuple[tuple[str, str, dict[str, Any]], ...] = (
            ("POST", "/sessions", body(NEW)),
            ("GET", "/sessions" + of(("", "/stats", "/facets")) + of(LISTS), {}),
            (
                "GET",
                place + of(("", "/messages", "/resolved-model", "/events/summary", "/storage/secrets")),
                {},
            ),
            ("GET", place + "/events" + of(EVENTS), {}),
            ("GET", place + "/export" + of(("", "?format=atif", "?format=x", "?segmented=1")), {}),
            ("PATCH", place, body(CHANGE)),
            ("POST", place + "/messages", body(MESSAGE, required=("message",))),
            ("POST", place + "/tool-results", body(RESULTS, required=("tool_results",))),
            ("POST", place + "/cancel", body({"x": (1,)})),
            ("POST", place + "/fork", body(FORK)),
            ("PUT", place + "/storage/secrets", body(SECRETS, required=("secrets",))),
            ("DELETE", place + of(("/pin", "/storage/secrets/A", "/storage/secrets/%00")), {}),
            ("PUT", place + "/pin", {}),
            (of(("DELETE", "OPTIONS", "TRACE", "HEAD", "PUT")), place, {}),
            (of(("POST", "PUT", "GET")), place + of(("/sse?types=x", "/nothing", "/events/x", "//")), {}),
        )
        return of(drawn)


@covers("session.fuzz")
async def test_whatever_is_sent_to_sessions_is_answered_in_the_dialects_own_way(everruns: Everruns) -> None:
    drawn = Drawn()
    statuses: dict[int, int] = {}
    for _ in range(CASES):
        method, path, payload = drawn.request()
        answer = await everruns.ask(method, path, **payload)
        status = answer.status_code
        statuses[status] = statuses.get(status, 0) + 1
        assert status < 500, (method, path, payload, answer.text)
        if method == "HEAD":
            continue
        if status >= 400:
            as_problem(answer, status)
        elif status == 201 and path == "/sessions":
            drawn.ids = [*drawn.ids[-9:], as_session(answer.json())["id"]]
    assert {200, 201, 204, 400, 404, 405} <= set(statuses), statuses
    # Everything that is left is shown as the client can read it.
    for session in (await everruns.read("/sessions?limit=100"))["data"]:
        as_session(session)
