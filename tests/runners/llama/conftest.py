import importlib.util
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from sojourn.runners.llama import LocalModel


@pytest.fixture
def models_dir(pytestconfig: pytest.Config) -> Path:
    """Where the weights (98 MB) stay between test runs; the first test that needs them fetches them."""
    if importlib.util.find_spec("xllamacpp") is None:
        pytest.skip("xllamacpp is not installed: it has no wheel for this platform")
    cache = pytestconfig.cache
    assert cache is not None
    return cache.mkdir("models")


@pytest.fixture
async def local(models_dir: Path) -> AsyncGenerator[LocalModel, None]:
    async with LocalModel(models_dir) as model:
        yield model
