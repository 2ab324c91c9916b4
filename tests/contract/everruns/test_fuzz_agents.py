"""Whatever is sent to the paths of agents, the answer is one of the dialect's own."""

from typing import Any, Final

from tests.contract.everruns.chance import Chance
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.surface import Everruns, as_problem

CASES: Final = 1_200
SEED: Final = 20_261_121
SOUND: Final[dict[str, tuple[Any, ...]]] = {
    "name": ("clerk", "scribe", "a-b", "default", "x" * 64),
    "system_prompt": ("", "Be brief.", "é" * 100),
    "id": ("agent_" + "0" * 31 + "1", "agent_" + "0" * 31 + "2", None),
    "display_name": ("D", None),
    "description": ("d", ""),
    "default_model_id": (None, "sim/echo", "model_" + "1" * 32),
    "harness_id": (None, "harness_" + "0" * 31 + "1"),
    "harness_name": (None, "generic", "default", "nothing"),
    "tags": ([], ["a"], None),
    "capabilities": (
        [],
        [{"ref": "current_time"}],
        [{"ref": "session_file_system", "config": {}}],
        [{"ref": "x"}],
    ),
    "tools": ([], [{"name": "t", "description": "", "parameters": {}}], [{}]),
    "initial_files": (
        [],
        [{"path": "/a", "content": "x"}],
        [{"path": "/a", "content": "x", "encoding": "base64"}],
    ),
    "mcpServers": ({}, {"a": {"url": "http://10.0.0.1"}}),
    "network_access": ({}, {"allowed": ["x"]}, None),
    "max_iterations": (0, 5, None),
    "parallel_tool_calls": (True, None),
    "status": ("active", "archived", "deleted"),
}
PLACES: Final = (
    "clerk",
    "default",
    "agent_" + "0" * 31 + "1",
    "agent_x",
    "%00",
    "%ff",
    "..",
    "a%2fb",
    "check-name",
    "",
)
QUERIES: Final = (
    "",
    "?search=e",
    "?search=%25",
    "?limit=1&offset=3",
    "?limit=0",
    "?offset=99999999999999999999",
    "?include_archived=true",
    "?include_archived=1",
    "?search=%00",
    "?limit=1&limit=2",
    "?=",
    "?name=x",
)
CATALOGUE: Final = (
    "/models",
    "/harnesses",
    "/capabilities",
    "/harness-examples",
    "/models/sim%2Fecho",
    "/models/x",
    "/harnesses/harness_" + "0" * 31 + "1",
    "/capabilities/current_time",
    "/capabilities/é",
)


def request(chance: Chance) -> tuple[str, str, dict[str, Any]]:
    body = chance.payload(SOUND, required=("name", "system_prompt"))
    place = "/agents/" + chance.of(PLACES)
    query = chance.of(QUERIES)
    of_agents = chance.of(("/agents", "/agents", place, "/agents/check-name"))
    drawn: tuple[tuple[str, str, dict[str, Any]], ...] = (
        ("POST", "/agents", body),
        ("POST", "/agents", body),
        ("PUT", place, body),
        ("PATCH", place, body),
        ("GET", of_agents + query, {}),
        (chance.of(("DELETE", "GET", "POST", "HEAD")), place, {}),
        ("POST", place + "/copy", body),
        (chance.of(("GET", "GET", "POST", "DELETE")), chance.of(CATALOGUE) + query, {}),
    )
    return chance.of(drawn)


@covers("agents.fuzz")
async def test_whatever_is_sent_to_agents_is_answered_in_the_dialects_own_way(everruns: Everruns) -> None:
    chance = Chance(SEED)
    statuses: dict[int, int] = {}
    for _ in range(CASES):
        method, path, payload = request(chance)
        answer = await everruns.ask(method, path, **payload)
        status = answer.status_code
        statuses[status] = statuses.get(status, 0) + 1
        assert status < 500, (method, path, payload, answer.text)
        if status >= 400 and method != "HEAD":
            as_problem(answer, status)
    assert {200, 201, 204, 400, 404, 405, 409} <= set(statuses), statuses
