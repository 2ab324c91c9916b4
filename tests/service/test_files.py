"""The file area: every change is in the log, and every rule holds for clients and for the turn's own tools."""

import pytest

from sojourn.domain.errors import (
    AlreadyExists,
    Conflict,
    InvalidRequest,
    LeaseLost,
    LimitExceeded,
    NotFound,
    WrongState,
)
from sojourn.domain.file import NewFile
from sojourn.domain.file_events import FileDeleted, FileWritten
from sojourn.domain.ids import OrgId, SessionId, uuid7
from sojourn.service import areas
from sojourn.service.files import Files
from sojourn.service.grep import Grep
from sojourn.service.sessions import NewSession
from tests.support.world import SOMEBODY, World


async def written(world: World, session: SessionId, *paths: str) -> None:
    for path in paths:
        await world.services.files.write(world.org, session, path, path.encode())


async def shown(world: World, session: SessionId, directory: str = "", recursive: bool = True) -> list[str]:
    """The paths of a listing; those of directories end in a slash."""
    files = await world.services.files.list(world.org, session, directory, recursive=recursive)
    return [f"{file.path}/" if file.is_directory else file.path for file in files]


async def read(world: World, session: SessionId, path: str) -> bytes:
    return (await world.services.files.read(world.org, session, path))[1]


async def test_a_file_is_written_replaced_and_read_and_the_log_tells_of_it(world: World) -> None:
    session, files = await world.new_session(), world.services.files
    first = await files.write(world.org, session, "/notes//a.txt", b"one")
    made_at = world.clock.now()
    world.clock.advance(5)
    second = await files.write(world.org, session, "notes/a.txt", b"three")
    assert (first.created, second.created) == (True, False)
    file, data = await files.read(world.org, session, "notes/a.txt")
    assert data == b"three"
    assert file == second.value
    assert (file.size, file.created_at, file.updated_at, file.seq) == (5, made_at, world.clock.now(), 3)
    assert [(event.path, event.size) for event in await world.said(session, FileWritten)] == [
        ("notes/a.txt", 3),
        ("notes/a.txt", 5),
    ]
    assert await world.problems() == []


async def test_a_file_that_is_so_already_is_not_written_again(world: World) -> None:
    session = await world.new_session()
    await written(world, session, "a", "a")
    assert len(await world.said(session, FileWritten)) == 1
    assert (await world.record(session)).session.next_seq == 3


async def test_a_file_that_is_there_is_not_made_again(world: World) -> None:
    session, files = await world.new_session(), world.services.files
    await files.write(world.org, session, "a", b"1", create_only=True)
    with pytest.raises(AlreadyExists):
        await files.write(world.org, session, "a", b"1", create_only=True)
    assert await read(world, session, "a") == b"1"


async def test_directories_are_made_shown_and_deleted(world: World) -> None:
    session, files = await world.new_session(), world.services.files
    await files.make_directory(world.org, session, "empty")
    await written(world, session, "src/a.py", "src/lib/b.py", "top")
    assert await shown(world, session) == [
        "empty/", "src/", "src/a.py", "src/lib/", "src/lib/b.py", "top",
    ]  # fmt: skip
    assert await shown(world, session, recursive=False) == ["empty/", "src/", "top"]
    assert await shown(world, session, "src", recursive=False) == ["src/a.py", "src/lib/"]
    assert await shown(world, session, "empty") == []
    with pytest.raises(WrongState, match="not empty"):
        await files.delete(world.org, session, "src")
    await files.delete(world.org, session, "src", recursive=True)
    await files.delete(world.org, session, "empty")
    assert await shown(world, session) == ["top"]
    assert [event.path for event in await world.said(session, FileDeleted)] == ["src", "empty"]
    assert await world.problems() == []


async def test_a_directory_is_moved_and_copied_with_what_it_holds(world: World) -> None:
    session, files = await world.new_session(), world.services.files
    await written(world, session, "a/b", "a/c/d", "ab")
    await files.make_directory(world.org, session, "a/empty")
    moved = await files.move(world.org, session, "a", "x/y")
    assert moved.value.is_directory
    await files.copy(world.org, session, "x/y/c", "z")
    assert await shown(world, session) == [
        "ab", "x/", "x/y/", "x/y/b", "x/y/c/", "x/y/c/d", "x/y/empty/", "z/", "z/d",
    ]  # fmt: skip
    assert await read(world, session, "z/d") == b"a/c/d"
    assert await world.problems() == []


@pytest.mark.parametrize(
    ("source", "target", "refusal"),
    [
        ("a", "a", InvalidRequest),
        ("a", "a/x", InvalidRequest),
        ("a", "b", AlreadyExists),
        ("a", "d", AlreadyExists),
        ("a", "b/x", WrongState),
        ("no", "x", NotFound),
        ("a", "x" * 499, InvalidRequest),
        ("..", "x", InvalidRequest),
    ],
)
async def test_a_move_to_where_nothing_may_be_changes_nothing(
    world: World, source: str, target: str, refusal: type[Exception]
) -> None:
    session, files = await world.new_session(), world.services.files
    await written(world, session, "a/f", "b", "d/e")
    before = await world.types(session)
    with pytest.raises(refusal):
        await files.move(world.org, session, source, target)
    with pytest.raises(refusal):
        await files.copy(world.org, session, source, target)
    assert await world.types(session) == before


async def test_a_file_holds_no_files_and_a_directory_no_content(world: World) -> None:
    session, files = await world.new_session(), world.services.files
    await written(world, session, "a", "d/e")
    await files.make_directory(world.org, session, "empty")
    for path in ("a/b", "a/b/c", "d", "empty"):
        with pytest.raises(WrongState):
            await files.write(world.org, session, path, b"")
    for path in ("a", "d", "empty", "d/e"):
        with pytest.raises(AlreadyExists):
            await files.make_directory(world.org, session, path)
    for path in ("d", "empty"):
        with pytest.raises(WrongState):
            await files.read(world.org, session, path)
    with pytest.raises(WrongState):
        await files.list(world.org, session, "a")


async def test_a_read_only_file_is_not_changed_until_it_is_writable_again(world: World) -> None:
    session, files, org = await world.new_session(), world.services.files, world.org
    await files.write(org, session, "d/a", b"1", readonly=True)
    for act in (
        lambda: files.write(org, session, "d/a", b"2", readonly=True),
        lambda: files.write(org, session, "d/a", b"1"),
        lambda: files.delete(org, session, "d/a"),
        lambda: files.delete(org, session, "d", recursive=True),
        lambda: files.move(org, session, "d", "e"),
    ):
        with pytest.raises(WrongState, match="read-only"):
            await act()
    copied = await files.copy(org, session, "d/a", "c")
    assert not copied.value.readonly
    assert not (await files.protect(org, session, "d/a", False)).readonly
    await files.write(org, session, "d/a", b"2")
    assert await read(world, session, "d/a") == b"2"
    assert await world.problems() == []


async def test_a_closed_session_s_files_are_read_and_not_changed(world: World) -> None:
    files, org = world.services.files, world.org
    ended, archived = await world.new_session(), await world.new_session()
    await written(world, ended, "a")
    await written(world, archived, "a")
    await world.services.sessions.end(org, ended, "completed", None, SOMEBODY)
    await world.services.sessions.archive(org, archived, True, SOMEBODY)
    for session in (ended, archived):
        assert await read(world, session, "a") == b"a"
        for act in (
            lambda session=session: files.write(org, session, "b", b""),
            lambda session=session: files.delete(org, session, "a"),
            lambda session=session: files.make_directory(org, session, "d"),
            lambda session=session: files.protect(org, session, "a", True),
        ):
            with pytest.raises(WrongState, match="session"):
                await act()
    assert await world.problems() == []


async def test_the_area_of_another_or_a_deleted_session_is_not_there(world: World) -> None:
    session, other = await world.new_session(), OrgId(uuid7())
    await written(world, session, "a")
    files = world.services.files
    for act in (
        lambda: files.list(other, session),
        lambda: files.read(other, session, "a"),
        lambda: files.write(other, session, "a", b"theirs"),
        lambda: files.grep(other, session, "a"),
    ):
        with pytest.raises(NotFound):
            await act()
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    for act in (lambda: files.read(world.org, session, "a"), lambda: files.list(world.org, session)):
        with pytest.raises(NotFound):
            await act()


async def test_an_area_holds_no_more_than_its_limit(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(areas, "MAX_FILES", 2)
    session, files = await world.new_session(), world.services.files
    await written(world, session, "a", "b", "a")
    await files.write(world.org, session, "a", b"other")
    for act in (
        lambda: files.write(world.org, session, "c", b""),
        lambda: files.make_directory(world.org, session, "c"),
        lambda: files.copy(world.org, session, "a", "c"),
    ):
        with pytest.raises(LimitExceeded):
            await act()
    with pytest.raises(InvalidRequest, match="content"):
        await files.write(world.org, session, "a", bytes(areas.MAX_FILE_BYTES + 1))


async def test_a_session_is_made_with_files_in_one_transaction(world: World) -> None:
    new = NewSession(files=(NewFile("/a", b"1", readonly=True), NewFile("b/c", b"2")))
    session = await world.new_session(new)
    assert await world.types(session) == ["session.created", "file.written", "file.written"]
    assert await shown(world, session) == ["a", "b/", "b/c"]
    assert (await world.services.files.get(world.org, session, "a")).readonly
    await world.send(session)
    assert await world.problems() == []
    with pytest.raises(InvalidRequest):
        await world.new_session(NewSession(files=(NewFile("../a", b""),)))


async def test_a_turn_and_its_clients_share_one_area_and_its_rules(world: World) -> None:
    turn = await world.claimed()
    turns, files, org = world.services.turns, world.services.files, world.org
    await turns.write_file(turn, "d/a", b"by the turn")
    assert await read(world, turn.session, "d/a") == b"by the turn"
    await files.write(org, turn.session, "b", b"by a client", readonly=True)
    await files.make_directory(org, turn.session, "e")
    assert await turns.read_file(turn, "/b") == b"by a client"
    assert await turns.list_files(turn) == [("b", 11), ("d/a", 11)]
    assert await turns.read_file(turn, "e") is None
    for path in ("b", "d", "d/a/x"):
        with pytest.raises(Conflict):
            await turns.write_file(turn, path, b"")
    with pytest.raises(InvalidRequest):
        await turns.write_file(turn, "../x", b"")
    assert [event.path for event in await world.said(turn.session, FileWritten)] == ["d/a", "b", "e"]
    await world.services.turns.cancel(org, turn.session, turn.turn, SOMEBODY)
    with pytest.raises(LeaseLost):
        await turns.write_file(turn, "late", b"")
    assert await world.problems() == []


async def test_a_search_finds_lines_and_refuses_what_is_no_pattern_or_never_ends(world: World) -> None:
    session = await world.new_session()
    files = Files(world.store, world.clock, Grep(seconds=1.0))
    org = world.org
    await files.write(org, session, "a.py", b"import re\nprint(1)\n")
    await files.write(org, session, "d/b.py", "# é\r\nimport os".encode())
    await files.write(org, session, "binary", b"import\0")
    await files.write(org, session, "latin", "importé".encode("latin-1"))
    await files.write(org, session, "slow", b"a" * 100 + b"b")
    found = await files.grep(org, session, r"^import (\w+)$")
    assert [(match.path, match.line, match.text) for match in found.matches] == [
        ("a.py", 1, "import re"),
        ("d/b.py", 2, "import os"),
    ]
    assert not found.truncated
    assert [match.path for match in (await files.grep(org, session, "import", glob="*/*")).matches] == [
        "d/b.py"
    ]
    assert [match.path for match in (await files.grep(org, session, ".", directory="d")).matches] == [
        "d/b.py",
        "d/b.py",
    ]
    for pattern, why in (("(", "not a regular expression"), ("(a|a)+$", "seconds"), ("a" * 1001, "longer")):
        with pytest.raises(InvalidRequest, match=why):
            await files.grep(org, session, pattern)
