import shutil
from pathlib import Path

from scripts.sync_twin.__main__ import ROOT, SOURCE, TARGET, make, stale
from scripts.sync_twin.translate import translate


def test_the_synchronous_client_is_what_the_asynchronous_one_makes_it() -> None:
    assert stale(ROOT) == []


def test_a_twin_that_was_changed_is_missing_or_is_left_over_is_found(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    shutil.copytree(ROOT / SOURCE, tmp_path / SOURCE)
    target = tmp_path / TARGET
    (target / "files.py").write_text("")
    (target / "keys.py").unlink()
    (target / "planted.py").write_text("")
    assert stale(tmp_path) == [f"{TARGET.as_posix()}/{name}.py" for name in ("files", "keys", "planted")]


def test_every_generated_file_says_first_what_it_was_made_from() -> None:
    for name, text in make(ROOT).items():
        source = name.replace("/sync/", "/")
        assert text.startswith(f"# Made from {source} by scripts/twin;"), name


def test_what_waits_is_translated_and_everything_else_stays_as_it_is() -> None:
    source = '''"""`async with aclosing(it)`"""
from sojourn.client.files import a
from sojourn.client.types import b
Handler = Callable[[Turn], Awaitable[list[str] | None]]
async def f(x: dict[str, int]) -> AsyncGenerator[int, None]:
    # await is a word here
    async with aclosing(await g(x["async"])) as it:
        return [y async for y in it]
'''
    assert (
        translate(source, frozenset({"files"}))
        == '''"""`with closing(it)`"""
from sojourn.client.sync.files import a
from sojourn.client.types import b
Handler = Callable[[Turn], list[str] | None]
def f(x: dict[str, int]) -> Generator[int, None]:
    # await is a word here
    with closing(g(x["async"])) as it:
        return [y for y in it]
'''
    )
