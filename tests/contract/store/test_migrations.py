from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn.store.migrate import MigrationMismatch, load_migrations
from tests.contract.store.make import ORG, insert, record
from tests.support.clock import HandClock
from tests.support.databases import Database, PostgresDatabase, SqliteDatabase, fresh, opened
from tests.support.postgres import PostgresServer


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
