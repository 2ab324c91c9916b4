from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.client.server import ServerProcess


@pytest.fixture
async def server(tmp_path: Path) -> AsyncGenerator[ServerProcess, None]:
    async with ServerProcess(tmp_path / "data") as server:
        yield server
