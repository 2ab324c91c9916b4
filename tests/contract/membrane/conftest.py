import asyncio
import json
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from tests.client.server import BOUND_SECONDS, ServerProcess
from tests.contract.membrane.surface import WORKSPACE, Membrane, seen_by_acme
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase
from tests.support.node import npm_folder
from tests.support.world import World, open_world

# The release that the contract was read from.
CLIENT = "@membranehq/sdk@0.28.3"
PAT = "pat-for-the-vendors-client"


@pytest.fixture
async def membrane(world: World) -> AsyncGenerator[Membrane]:
    """The dialect over each database in turn, with the world's clock, as the tenant `acme` sees it."""
    async with seen_by_acme(world) as membrane:
        yield membrane


@pytest.fixture
async def on_sqlite(sqlite: SqliteDatabase, clock: HandClock) -> AsyncGenerator[Membrane]:
    """The same over SQLite only, for what no database has a part in."""
    async with open_world(sqlite, clock) as world, seen_by_acme(world) as membrane:
        yield membrane


@pytest.fixture(scope="session")
def client_folder(request: pytest.FixtureRequest) -> Path:
    """A folder that has the vendor's client, which later runs find again."""
    if shutil.which("node") is None:
        pytest.skip("the vendor's client needs node, and it is not on the PATH")
    folder = npm_folder(CLIENT, request.config)
    # A module finds its packages beside itself.
    shutil.copy(Path(__file__).with_name("vendor.mjs"), folder)
    return folder


@pytest.fixture(scope="module")
def lived(client_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the vendor's client saw over one life with a server of its own, by the name of the step."""
    return asyncio.run(_live(client_folder, tmp_path_factory.mktemp("membrane") / "data"))


async def _live(client_folder: Path, data_dir: Path) -> dict[str, Any]:
    settings = {
        "SOJOURN_BOOTSTRAP_KEY": PAT,
        "SOJOURN_BOOTSTRAP_WORKSPACE_KEY": WORKSPACE,
        "SOJOURN_BOOTSTRAP_WORKSPACE_SECRET": "shh",
    }
    async with ServerProcess(data_dir, **settings) as server:
        command = ["node", str(client_folder / "vendor.mjs"), server.url, WORKSPACE, "shh", PAT]
        client = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        async with asyncio.timeout(BOUND_SECONDS):
            out, said = await client.communicate()
        assert client.returncode == 0, said.decode()
        return json.loads(out.splitlines()[-1])
