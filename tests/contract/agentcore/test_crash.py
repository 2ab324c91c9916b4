"""The vendor's client has its answer although the server was killed while it waited."""

import asyncio
import json
from pathlib import Path

import httpx2
import pytest

from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.contract.agentcore.conftest import CLIENT
from tests.contract.agentcore.requirements import covers
from tests.support.environments import interpreter_with


@covers("invoke.repeated")
async def test_a_call_is_answered_once_although_the_server_was_killed_in_it(
    request: pytest.FixtureRequest, server: ServerProcess
) -> None:
    python = await asyncio.to_thread(interpreter_with, CLIENT, request.config)
    headers = {"authorization": f"Bearer {server.key}"}
    async with (
        asyncio.timeout(2 * BOUND_SECONDS),
        httpx2.AsyncClient(base_url=f"{server.url}/sojourn/v1", headers=headers, timeout=None) as http,
    ):
        session = (await http.post("/sessions", json={})).json()["id"]
        client = await asyncio.create_subprocess_exec(
            *(str(python), "-I", str(Path(__file__).with_name("vendor.py")), server.url, server.key, session),
            stdout=asyncio.subprocess.PIPE,
        )
        async with http.stream("GET", f"/sessions/{session}/events/stream") as events:
            async for line in events.aiter_lines():
                if line == "event: model.called":
                    break
        await server.kill()
        await server.start()
        out, _ = await client.communicate()
        assert client.returncode == 0
        said = json.loads(out)
        assert said["answer"] == {"result": "late"}
        assert said["retries"] > 0
        turns = (await http.get(f"/sessions/{session}/turns")).json()["data"]
    assert [turn["status"] for turn in turns] == ["completed"]
