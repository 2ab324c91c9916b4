"""Append, reclaim, cancel, settle, input and end, all at once; afterwards the log must be in order.

`python -m tests.race --rounds 20000` runs the same for as long as one likes.
"""

import secrets

from tests.race.field import Game, race_in_one_process, race_in_processes
from tests.support.databases import PostgresDatabase, SqliteDatabase


def a_game(rounds: int) -> Game:
    game = Game(seed=secrets.randbits(32), rounds=rounds)
    print(game)
    return game


async def test_a_race_in_one_process_on_sqlite_leaves_every_invariant_whole(sqlite: SqliteDatabase) -> None:
    assert await race_in_one_process(sqlite, a_game(250)) == []


async def test_a_race_in_one_process_on_postgres_leaves_every_invariant_whole(
    postgres: PostgresDatabase,
) -> None:
    assert await race_in_one_process(postgres, a_game(60)) == []


async def test_a_race_of_several_processes_leaves_every_invariant_whole(postgres: PostgresDatabase) -> None:
    assert await race_in_processes(postgres, a_game(80)) == []


async def test_the_race_finds_a_fence_that_stands_in_the_lease_table(postgres: PostgresDatabase) -> None:
    problems = await race_in_processes(postgres, a_game(80), is_sound=False)
    assert any("while" in problem and "held the turn" in problem for problem in problems), problems
