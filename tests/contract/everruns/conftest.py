"""The real server on a loopback port, with its embedded worker and the simulated model that plays scripts."""

from collections.abc import AsyncGenerator
from pathlib import Path

import httpx2
import pytest

from sojourn.config import Settings
from sojourn.service.core import Services
from sojourn.web.app import App, Mount, build_app
from sojourn.web.dialects.everruns.log.stream import CYCLE_SECONDS
from sojourn.web.dialects.everruns.surface import PREFIXES, build_everruns
from sojourn.web.kit.body import BODY_LIMIT
from sojourn.web.kit.sse import Heart
from sojourn.wiring import open_services
from tests.contract.everruns.sdk import CLIENT, Sdk
from tests.contract.everruns.surface import Everruns
from tests.support.environments import interpreter_with
from tests.web.served import listening

KEY = "evr_pat_4f1d9c7a"


def everruns_app(services: Services, cycle_seconds: float = CYCLE_SECONDS) -> App:
    """The dialect alone, with streams that last as long as is said."""
    surface = build_everruns(services, Heart(), BODY_LIMIT, cycle_seconds)
    own = [Mount(prefix, surface) for prefix in PREFIXES]
    return App(services, own)


@pytest.fixture
async def everruns(tmp_path: Path) -> AsyncGenerator[Everruns]:
    """A client of the server with an admin's key. Turns run by themselves; the model plays scripts."""
    settings = Settings(data_dir=tmp_path / "data", bootstrap_key=KEY, default_model="sim/script")
    async with open_services(settings) as running:
        app = build_app(running.services, settings.max_body_bytes)
        async with listening(app) as url, httpx2.AsyncClient(base_url=url) as http:
            yield Everruns(running.services, http, KEY)


@pytest.fixture(scope="session")
def sdk_python(request: pytest.FixtureRequest) -> Path:
    return interpreter_with(CLIENT, request.config)


@pytest.fixture
def sdk(sdk_python: Path, everruns: Everruns) -> Sdk:
    """The vendor's client, pointed at the server of `everruns`."""
    return Sdk(sdk_python, everruns)
