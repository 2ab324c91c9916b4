from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx2
import pytest

from sojourn.web.app import build_app
from tests.contract.agent_swarm.calls import Swarm
from tests.support.clock import HandClock
from tests.support.databases import Database, SqliteDatabase
from tests.support.world import open_world
from tests.web.served import listening


@asynccontextmanager
async def open_swarm(database: Database, clock: HandClock) -> AsyncGenerator[Swarm]:
    async with open_world(database, clock) as world:
        key = await world.services.access.issue_key(world.org, "swarm", "admin")
        async with (
            listening(build_app(world.services)) as url,
            httpx2.AsyncClient(base_url=url, headers={"Authorization": f"Bearer {key}"}) as client,
        ):
            yield Swarm(client, world)


@pytest.fixture
async def swarm(sqlite: SqliteDatabase, clock: HandClock) -> AsyncIterator[Swarm]:
    async with open_swarm(sqlite, clock) as swarm:
        yield swarm


class WallClock(HandClock):
    """Postgres times beats itself, so what stands on it has to go by the same time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@pytest.fixture
async def either(database: Database, clock: HandClock) -> AsyncIterator[Swarm]:
    """Over each database in turn."""
    async with open_swarm(database, clock if database.dialect == "sqlite" else WallClock()) as swarm:
        yield swarm
