import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sojourn.web.app import build_app
from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.contract.agentcore.hands import Hands
from tests.contract.agentcore.surface import AgentCore
from tests.support.environments import interpreter_with
from tests.support.world import World
from tests.web.served import ADMIN, Served, open_served

# The release that the contract was read from.
CLIENT = "boto3==1.44.5"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    """A server with a worker, whose model does what it is told."""
    async with open_served(tmp_path, default_model="sim/script") as served:
        yield served


@pytest.fixture
async def agentcore(served: Served) -> AsyncGenerator[AgentCore]:
    transport = httpx2.ASGITransport(served.app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://sojourn") as http:
        yield AgentCore(served.services, http, ADMIN)


@pytest.fixture
async def by_hand(world: World) -> AsyncGenerator[AgentCore]:
    """The dialect over each database in turn. There is no worker: the test is the worker and the time."""
    key = await world.services.access.issue_key(world.org, "agentcore", "admin")
    transport = httpx2.ASGITransport(build_app(world.services))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sojourn") as http:
        yield AgentCore(world.services, http, key)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[ServerProcess]:
    async with ServerProcess(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def lived(request: pytest.FixtureRequest, server: ServerProcess) -> Mapping[str, Any]:
    """What the vendor's client saw over one life with the server, by the name of the step."""
    python = await asyncio.to_thread(interpreter_with, CLIENT, request.config)
    script = Path(__file__).with_name("vendor.py")
    client = await asyncio.create_subprocess_exec(
        *(str(python), "-I", str(script), server.url, server.key),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(2 * BOUND_SECONDS):
        out, said = await client.communicate()
    assert client.returncode == 0, said.decode()
    return json.loads(out.splitlines()[-1])


@pytest.fixture
def hands(world: World) -> Hands:
    return Hands(world)
