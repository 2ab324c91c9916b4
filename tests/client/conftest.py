from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from sojourn.client import Client
from tests.client.server import ServerProcess


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[ServerProcess, None]:
    async with ServerProcess(tmp_path / "data") as server:
        yield server


@pytest.fixture
async def client(server: ServerProcess) -> AsyncGenerator[Client, None]:
    async with Client(server.url, server.key) as client:
        yield client
