from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.runners.acp.stage import Stage
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase
from tests.support.world import open_world


@pytest.fixture
async def stage(sqlite: SqliteDatabase, clock: HandClock, tmp_path: Path) -> AsyncGenerator[Stage]:
    """Over SQLite: what a program tells is no database's business."""
    async with open_world(sqlite, clock) as world:
        yield Stage(world, tmp_path / "programs")
        assert await world.problems() == []
