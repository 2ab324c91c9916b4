from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.web.served import Served, open_served


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path, worker_capacity=0) as served:
        yield served
