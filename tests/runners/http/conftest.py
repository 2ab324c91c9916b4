import asyncio
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.runners.http.process import LIBRARY, AppProcess
from tests.support.environments import interpreter_with


@pytest.fixture
async def library(request: pytest.FixtureRequest) -> Path:
    """An interpreter with the vendor's library, and its client too."""
    return await asyncio.to_thread(interpreter_with, LIBRARY, request.config)


@pytest.fixture
async def process(library: Path) -> AsyncGenerator[AppProcess]:
    async with AppProcess(library) as process:
        yield process
