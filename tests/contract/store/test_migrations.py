import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from sojourn.store import migrate
from sojourn.store.migrate import Migration, MigrationMismatch, load_migrations
from sojourn.store.where import Dialect
from tests.contract.store.make import ORG, a_file, event, insert, record, session_id
from tests.support.clock import HandClock
from tests.support.databases import Database, PostgresDatabase, SqliteDatabase, fresh, opened
from tests.support.postgres import PostgresServer


@pytest.fixture
def sqlite(tmp_path: Path) -> SqliteDatabase:
    """No file yet, instead of a prepared one."""
    return SqliteDatabase(tmp_path, migrated=False)


@pytest.fixture
def postgres(postgres_server: PostgresServer, tmp_path: Path) -> Iterator[PostgresDatabase]:
    """An empty database instead of a prepared one."""
    with fresh(postgres_server, "template1", tmp_path) as database:
        yield database


async def test_an_empty_database_is_brought_up_to_date(database: Database, clock: HandClock) -> None:
    names = [migration.name for migration in load_migrations(database.dialect)]
    async with opened(database, clock) as store:
        assert list(store.applied) == names
        await insert(store)
    assert [name for (name,) in database.query("SELECT name FROM schema_migrations")] == names


async def test_what_was_applied_is_not_applied_again(database: Database, clock: HandClock) -> None:
    async with opened(database, clock) as store:
        session = await insert(store, record(title="kept"))
    async with opened(database, clock) as store:
        assert list(store.applied) == []
        assert await store.reads.get_session(ORG, session.id) is not None


async def test_a_migration_that_was_changed_since_is_refused(database: Database, clock: HandClock) -> None:
    async with opened(database, clock):
        pass
    database.query("UPDATE schema_migrations SET sha256 = 'another' WHERE name LIKE '0001%'")
    with pytest.raises(MigrationMismatch, match="another text"):
        await database.open(clock)


async def test_a_database_of_a_newer_release_is_refused(database: Database, clock: HandClock) -> None:
    async with opened(database, clock):
        pass
    database.query("INSERT INTO schema_migrations (name, sha256, applied_at) VALUES ('9999_later', 'x', 1)")
    for _ in range(2):
        # The second refusal is no other than the first, so the first has let go of the database.
        with pytest.raises(MigrationMismatch, match="9999_later"):
            await database.open(clock)


def test_both_databases_have_the_same_migrations_and_the_same_tables() -> None:
    sqlite, postgres = load_migrations("sqlite"), load_migrations("postgres")
    assert [one.name for one in sqlite] == [one.name for one in postgres]


async def test_both_databases_have_the_same_tables_and_columns(
    sqlite: SqliteDatabase, postgres: PostgresDatabase, clock: HandClock
) -> None:
    for database in (sqlite, postgres):
        async with opened(database, clock):
            pass
    of_sqlite = sqlite.query(
        "SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c"
        " WHERE m.type = 'table' AND m.name <> 'tx_counter' ORDER BY 1, c.cid"
    )
    of_postgres = postgres.query(
        "SELECT table_name::text, column_name::text FROM information_schema.columns"
        " WHERE table_schema = 'public' ORDER BY 1, ordinal_position"
    )
    assert of_sqlite == of_postgres


async def test_files_and_large_data_of_an_older_release_are_kept_and_used(
    database: Database, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, data, large = session_id(), b"content", b'"' + b"x" * 40_000 + b'"'
    with monkeypatch.context() as older:
        older.setattr(migrate, "load_migrations", before_areas)
        async with opened(database, clock) as store:
            await store.write(lambda tx: tx.put_blob(ORG, sha(data), data))
            await store.write(lambda tx: tx.put_blob(ORG, sha(large), large))
            reference = f'{{"blob":{{"sha256":"{sha(large).hex()}","size":{len(large)}}}}}'
            written = f'{{"path":"a.txt","sha256":"{sha(data).hex()}","size":{len(data)}}}'
            events = [event(session, 1, data=reference), event(session, 2, data=written, type="file.written")]
            await store.write(lambda tx: tx.append_events(events))
            id, digest = literals(database.dialect, session.bytes, sha(data))
            org = literals(database.dialect, ORG.bytes, b"")[0]
            database.query(
                "INSERT INTO files (org, session, path, sha256, size, seq)"
                f" VALUES ({org}, {id}, 'a.txt', {digest}, {len(data)}, 2)"
            )
    async with opened(database, clock) as store:
        assert await store.reads.list_files(ORG, session) == [a_file("a.txt", data)]
        for blob in (data, large):
            assert await store.reads.uses_blob(ORG, session, sha(blob))
            assert not await store.reads.uses_blob(ORG, session_id(), sha(blob))


def before_areas(dialect: Dialect) -> Sequence[Migration]:
    """The migrations of before a file area had directories and blobs had users."""
    return [migration for migration in load_migrations(dialect) if migration.name < "0006"]


def sha(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def literals(dialect: Dialect, id: bytes, digest: bytes) -> tuple[str, str]:
    if dialect == "sqlite":
        return f"x'{id.hex()}'", f"x'{digest.hex()}'"
    return f"'{id.hex()}'::uuid", f"decode('{digest.hex()}', 'hex')"
