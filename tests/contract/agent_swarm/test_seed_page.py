"""The curl lines of the documentation page that agent-swarm's users start from."""

import asyncio
import json
import shlex
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.contract.agent_swarm.calls import KEYS
from tests.contract.agent_swarm.requirements import covers

# As they stand on the page, which leaves the key out; what each answers with one, in this order.
LINES: tuple[tuple[str, Any], ...] = (
    ('curl -X GET "http://localhost:3013/api/active-sessions"', {"sessions": []}),
    (
        """curl -X POST "http://localhost:3013/api/active-sessions" \\
          -H "Content-Type: application/json" \\
          -d '{ "agentId": "string", "triggerType": "string" }'""",
        KEYS,
    ),
    ('curl -X DELETE "http://localhost:3013/api/active-sessions/string"', {"deleted": False}),
    ('curl -X DELETE "http://localhost:3013/api/active-sessions/by-task/string"', {"deleted": False}),
    (
        """curl -X POST "http://localhost:3013/api/active-sessions/cleanup" \\
          -H "Content-Type: application/json" \\
          -d '{}'""",
        {"cleaned": 0},
    ),
    ('curl -X PUT "http://localhost:3013/api/active-sessions/heartbeat/string"', {"updated": False}),
    (
        """curl -X PUT "http://localhost:3013/api/active-sessions/provider-session/string" \\
          -H "Content-Type: application/json" \\
          -d '{ "providerSessionId": "string" }'""",
        {"updated": False},
    ),
    # Not on the page, but called by every worker.
    (
        """curl -X POST "http://localhost:3013/api/active-sessions/recover-orphaned-tasks" \\
          -H "X-Agent-ID: string" -d '{ "agentId": "string" }'""",
        {"recovered": 0, "tasks": []},
    ),
)


async def run(line: str, url: str, *more: str) -> Any:
    arguments = shlex.split(line.replace("http://localhost:3013", url).replace("\\\n", " "))
    process = await asyncio.create_subprocess_exec(
        *arguments, "--silent", *more, stdout=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, _ = await process.communicate()
    assert process.returncode == 0
    return json.loads(out)


@covers("seed.curl")
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
async def test_the_pages_own_lines_work_with_a_key_and_are_unauthorized_without(tmp_path: Path) -> None:
    async with ServerProcess(tmp_path) as server:
        for line, answer in LINES:
            assert await run(line, server.url) == {"error": "Unauthorized"}
            found = await run(line, server.url, "--header", f"Authorization: Bearer {server.key}")
            if answer is KEYS:
                assert tuple(found["session"]) == KEYS
            else:
                assert found == answer
