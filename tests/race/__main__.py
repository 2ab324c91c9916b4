"""The race for as long as one likes: `python -m tests.race --rounds 20000 [--seed N]`, on both databases."""

import argparse
import asyncio
import secrets
import sys
import tempfile
from pathlib import Path

from tests.race.field import Game, race_in_one_process, race_in_processes
from tests.support.databases import SqliteDatabase, fresh
from tests.support.postgres import PostgresServer

# A game's log is read whole at its end, so it is kept short and there are many.
ROUNDS_A_GAME = 500


async def _race(total: int, seed: int) -> int:
    server = PostgresServer()
    problems: list[str] = []
    try:
        for start in range(0, total, ROUNDS_A_GAME):
            game = Game(seed=seed + start, rounds=min(ROUNDS_A_GAME, total - start))
            with tempfile.TemporaryDirectory() as folder:
                problems += await race_in_one_process(SqliteDatabase(Path(folder)), game)
                with fresh(server, "template1", Path(folder)) as database:
                    problems += await race_in_processes(database, game)
            print(
                f"{start + game.rounds:7d} of {total} rounds of each player, {len(problems)} problems, {game}"
            )
    finally:
        server.stop()
    print(*problems, sep="\n")
    return 1 if problems else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.race", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000, help="acts of each player on each database")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    arguments = parser.parse_args()
    return asyncio.run(_race(arguments.rounds, arguments.seed))


if __name__ == "__main__":
    sys.exit(main())
