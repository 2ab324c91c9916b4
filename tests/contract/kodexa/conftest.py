import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sojourn.web.app import build_app
from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.contract.kodexa.surface import Kodexa
from tests.support.environments import interpreter_with
from tests.support.world import World

# The release that the contract was read from. It wants an older certifi than the server's own tools do.
CLIENT = "kodexa==7.4.421830084132"


@pytest.fixture
async def kodexa(world: World) -> AsyncGenerator[Kodexa]:
    """The dialect over each database in turn, with the world's clock, and an admin's key."""
    app = build_app(world.services)
    async with AsyncExitStack() as stack:
        token = await world.services.access.issue_key(world.org, "kodexa", "admin")
        http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://sojourn")
        yield Kodexa(world, await stack.enter_async_context(http), token)


@pytest.fixture(scope="session")
def client_python(request: pytest.FixtureRequest) -> Path:
    return interpreter_with(CLIENT, request.config)


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[ServerProcess]:
    async with ServerProcess(tmp_path / "data") as server:
        yield server


Lived = Mapping[str, Any]


@pytest.fixture
async def lived(client_python: Path, server: ServerProcess) -> Lived:
    """What the vendor's client saw over one life with the server, by the name of the step."""
    script = Path(__file__).with_name("vendor.py")
    command = [str(client_python), "-I", str(script), server.url, server.key]
    client = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    async with asyncio.timeout(BOUND_SECONDS):
        out, said = await client.communicate()
    assert client.returncode == 0, said.decode()
    return json.loads(out.splitlines()[-1])
