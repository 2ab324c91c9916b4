from datetime import datetime

from sojourn.domain.file import File
from sojourn.domain.ids import OrgId, SessionId, uuid7
from sojourn.ports import Store, Tx
from tests.contract.store.make import ORG, a_file, at, session_id


async def area(store: Store, *files: File) -> SessionId:
    """A session's area that holds these."""
    session = session_id()

    async def verb(tx: Tx) -> None:
        for file in files:
            await tx.write_file(ORG, session, file)

    await store.write(verb)
    return session


async def paths(store: Store, session: SessionId, below: str = "", limit: int = 100) -> list[str]:
    return [file.path for file in await store.reads.list_files(ORG, session, below, limit)]


async def test_an_entry_reads_back_as_it_was_written(store: Store) -> None:
    files = [
        a_file("a.txt", b"one", readonly=True),
        a_file("b", sha256=None, seq=3),
        a_file("b/ä 🜁%_.txt", b"two", seq=4, updated_at=at(4.000001)),
    ]
    session = await area(store, *reversed(files))
    assert await store.reads.list_files(ORG, session) == files
    assert await store.reads.get_files(ORG, session, [file.path for file in files]) == {
        file.path: file for file in files
    }
    assert await store.reads.get_files(ORG, session, []) == {}
    assert await store.reads.get_files(ORG, session, ["a", "B", "b/"]) == {}
    assert await store.reads.count_files(ORG, session) == 3
    other = OrgId(uuid7())
    assert await store.reads.list_files(other, session) == []
    assert await store.reads.get_files(other, session, ["a.txt"]) == {}
    assert await store.reads.count_files(other, session) == 0


async def test_an_entry_that_is_written_again_keeps_when_it_was_made(store: Store) -> None:
    session = await area(store, a_file("a", b"one", seq=2), a_file("a", b"two!", seq=9))

    def made(at: datetime) -> File:
        return a_file("a", b"two!", seq=9, created_at=at)

    assert await store.reads.list_files(ORG, session) == [made(at(2))]


async def test_a_directory_is_listed_by_code_points_and_no_pattern(store: Store) -> None:
    names = ["a%/x", "a-b", "a.b/x", "a/A", "a/b/c", "a/Ä", "a/ä", "a0", "ab", "B"]
    session = await area(store, *(a_file(name) for name in names))
    assert await paths(store, session) == sorted(names)
    assert await paths(store, session, "a") == ["a/A", "a/b/c", "a/Ä", "a/ä"]
    assert await paths(store, session, "a", 2) == ["a/A", "a/b/c"]
    assert await paths(store, session, "a%") == ["a%/x"]
    assert await paths(store, session, "a/b/c") == []


async def test_a_deletion_takes_what_is_below_and_nothing_beside(store: Store) -> None:
    names = ["a%/x", "a", "a/b/c", "a/ä", "a0", "ab", "A/x", "a_/x"]
    session = await area(store, *(a_file(name) for name in names))
    kept = await area(store, a_file("a"))
    await store.write(lambda tx: tx.delete_file(ORG, session, "a"))
    assert await paths(store, session) == sorted({"a%/x", "a0", "ab", "A/x", "a_/x"})
    await store.write(lambda tx: tx.delete_file(ORG, session, "a_"))
    await store.write(lambda tx: tx.delete_file(ORG, session, "%"))
    assert await paths(store, session) == sorted({"a%/x", "a0", "ab", "A/x"})
    assert await paths(store, kept) == ["a"]
