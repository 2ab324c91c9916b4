"""The sandboxes of this machine; one that does not work here says why its tests are skipped."""

import os
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path

import pytest

from sojourn.runners.shell.command import SandboxBroken, Stopped, run
from sojourn.runners.shell.sandbox import Sandbox, candidates

_TROUBLES: dict[str, str | None] = {}


async def contents(files: Mapping[str, bytes]) -> AsyncGenerator[tuple[str, bytes]]:
    for item in files.items():
        yield item


@pytest.fixture(params=["bubblewrap", "unshare"])
async def sandbox(request: pytest.FixtureRequest, tmp_path: Path) -> Sandbox:
    name: str = request.param
    found = next((each for each in candidates(os.environ, tmp_path) if each.name == name), None)
    if found is None:
        pytest.skip(f"{name} is not installed on this machine")
    if name not in _TROUBLES:
        try:
            await run(found, contents({}), "true", 20)
            _TROUBLES[name] = None
        except (SandboxBroken, Stopped) as error:
            _TROUBLES[name] = str(error)
    if _TROUBLES[name] is not None:
        pytest.skip(f"{name} does not work on this machine: {_TROUBLES[name]}")
    return found
