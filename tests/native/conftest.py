from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.web.served import Served, open_served


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    """Without a worker: turns stay queued unless a test runs them."""
    async with open_served(tmp_path, worker_capacity=0) as served:
        yield served


@pytest.fixture
def client(served: Served) -> httpx.AsyncClient:
    return served.client
