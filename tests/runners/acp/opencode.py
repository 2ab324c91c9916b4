"""The real OpenCode from npm, with a home of its own and a model that plays a script."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.runners.acp.endpoint import Endpoint
from tests.support.node import npm_folder

# The release whose ways the tests were read off.
PACKAGE = "opencode-ai@1.18.33"


def opencode_bin(config: pytest.Config) -> Path:
    """The directory of its program. The package's own installer only chooses among the builds that came with it."""
    folder = npm_folder(PACKAGE, config) / "node_modules"
    builds = sorted(
        folder.glob("opencode-*/bin/opencode"), key=lambda path: ("baseline" in str(path), str(path))
    )
    builds = [path for path in builds if "musl" not in str(path)]
    if not builds:
        pytest.skip("OpenCode has no build for this machine")
    return builds[0].parent


def environment(programs: Path, home: Path, endpoint: Endpoint, **permissions: str) -> Mapping[str, str]:
    """What a server is started with so that OpenCode talks to `endpoint` and to nothing else."""
    home.mkdir(exist_ok=True)
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "options": {"baseURL": endpoint.url, "apiKey": "none"},
        "models": {"scripted": {"tool_call": True}},
    }
    config = {
        "provider": {"scripted": provider},
        "model": "scripted/scripted",
        "small_model": "scripted/scripted",
        "permission": permissions,
        "autoupdate": False,
        "share": "disabled",
    }
    return {
        "PATH": os.pathsep.join([str(programs), os.environ["PATH"]]),
        "HOME": str(home),
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
    }
