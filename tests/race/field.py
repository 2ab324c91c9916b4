"""Where the race is run: services over one database, in this process or in several."""

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from uuid import UUID

from sojourn.domain.ids import DEFAULT_ORG, SessionId
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.ports import Clock, Published, Store
from sojourn.runners.model.catalogue import catalogue_of
from sojourn.runners.model.tools import BUILT_IN
from sojourn.service.claims import LeaseTerms
from sojourn.service.core import Choices, Services, build_services
from sojourn.service.hub import Hub
from sojourn.service.sessions import NewSession
from sojourn.store.postgres import PostgresStore
from sojourn.store.secrets import SealedSecrets, SealingKey
from sojourn.wiring import SteadyClock
from tests.race.judge import judge
from tests.race.play import BY, Players
from tests.race.unsound import LeaseTableTurns
from tests.race.witness import Witness
from tests.support.databases import Database, PostgresDatabase
from tests.support.invariants import check_invariants

OpenStore = Callable[[Clock, Published], Awaitable[Store]]


@dataclass(frozen=True)
class Game:
    """`rounds` acts of each player; the same seed draws the same acts, whose order is the machine's."""

    seed: int
    rounds: int
    processes: int = 3


# One session each: without deadlines twice, as most are, and with deadlines that come in the middle of things.
POLICIES = (
    NO_POLICY,
    NO_POLICY,
    Policy(max_turn_seconds=0.05),
    Policy(idle_timeout_seconds=0.02, max_lifetime_seconds=0.5),
)

# A lease lapses with the instant that it was taken: whoever looks may take it away.
NO_TIME = LeaseTerms(0.0, None)


@asynccontextmanager
async def open_field(open_store: OpenStore) -> AsyncGenerator[tuple[Store, Services]]:
    """Services as in a server's process, without its worker: the players are the workers."""
    hub, clock = Hub(), SteadyClock()
    store = await open_store(clock, hub.publish)
    secrets = SealedSecrets(store, clock, SealingKey("a key for tests", Path(tempfile.gettempdir())))
    try:
        yield (
            store,
            build_services(
                store,
                secrets,
                hub,
                clock,
                NO_TIME,
                Choices(default_model="sim/echo", is_shared=True, catalogue=catalogue_of(BUILT_IN)),
            ),
        )
    finally:
        await store.close()


async def make_sessions(services: Services) -> list[SessionId]:
    await services.access.ensure_org(DEFAULT_ORG, "default")
    await services.agents.ensure_default(DEFAULT_ORG)
    made = [await services.sessions.create(DEFAULT_ORG, NewSession(policy=policy), BY) for policy in POLICIES]
    return [result.value.session.id for result in made]


async def race_in_one_process(database: Database, game: Game) -> list[str]:
    """What went wrong. Every player is a task over one store."""
    async with open_field(database.open) as (store, services):
        sessions = await make_sessions(services)
        witness = await Players(services, sessions, game.seed).play(game.rounds)
        problems = await judge(store.reads, sessions, [witness])
        return problems + await check_invariants(store.reads, database.query)


async def race_in_processes(database: PostgresDatabase, game: Game, *, is_sound: bool = True) -> list[str]:
    """What went wrong. Each process has connections of its own, and none knows of the others."""
    async with open_field(database.open) as (store, services):
        sessions = await make_sessions(services)
        numbers = range(game.processes)
        witnesses = await asyncio.gather(
            *(_play_apart(database.url, game, number, sessions, is_sound) for number in numbers)
        )
        problems = await judge(store.reads, sessions, witnesses)
        return problems + await check_invariants(store.reads, database.query)


async def _play_apart(
    url: str, game: Game, number: int, sessions: Sequence[SessionId], is_sound: bool
) -> Witness:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.race.field", url, "sound" if is_sound else "unsound"),
        *(str(game.rounds), str(game.seed + number), *map(str, sessions)),
        stdout=asyncio.subprocess.PIPE,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, "a player's process failed; its error is above"
    return Witness(**json.loads(output))


async def _main(url: str, build: str, rounds: int, seed: int, sessions: Sequence[SessionId]) -> None:
    async def open_store(clock: Clock, published: Published) -> Store:
        return await PostgresStore.open(url, clock, published)

    async with open_field(open_store) as (store, sound):
        unsound = replace(sound, turns=LeaseTableTurns.instead_of(sound, store, NO_TIME))
        services = sound if build == "sound" else unsound
        witness = await Players(services, sessions, seed).play(rounds)
    sys.stdout.write(json.dumps(asdict(witness)))


if __name__ == "__main__":
    url, build, rounds, seed, *ids = sys.argv[1:]
    asyncio.run(_main(url, build, int(rounds), int(seed), [SessionId(UUID(id)) for id in ids]))
