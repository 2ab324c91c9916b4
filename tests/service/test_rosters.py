"""A roster says what the rows say, however little of them was read for it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from random import Random

import pytest

from sojourn.domain.errors import NotFound, WrongState
from sojourn.domain.ids import SessionId
from sojourn.domain.record import DrivenSession
from sojourn.ports import Tx
from sojourn.service.driven import Sweep
from sojourn.service.names import Name
from sojourn.service.rosters import Rosters
from sojourn.service.sessions import NewSession
from sojourn.store.postgres import MOST_NAMED
from tests.support.clock import HandClock
from tests.support.databases import SqliteDatabase
from tests.support.world import SOMEBODY, World, open_world

HOLDER = "driver"
SWEEP = Sweep(holder=HOLDER, reason="stale", quiet_seconds=5)


class Crowd:
    """Does things at random to driven sessions and to others."""

    def __init__(self, world: World, random: Random) -> None:
        self._world = world
        self._random = random
        self._names: list[Name] = []
        self._sessions: list[SessionId] = []

    async def act(self) -> None:
        self._world.clock.advance(self._random.choice((0.001, 0.5)))
        actions: list[Callable[[], Awaitable[object]]] = [
            self.make, self.make_undriven, self.hold, self.release, self.beat, self.amend, self.finish, self.sweep,
        ]  # fmt: skip
        await self._random.choice(actions)()

    async def make(self) -> None:
        name = Name("task", str(len(self._names)))
        self._names.append(name)
        new = NewSession(name=name, driver=HOLDER, origin="crowd", facet=("crowd", "{}"))
        self._sessions.append(await self._world.new_session(new))

    async def make_undriven(self) -> None:
        self._sessions.append(await self._world.new_session())

    async def hold(self) -> None:
        # A session that has ended cannot be driven.
        with suppress(WrongState, IndexError):
            await self._world.services.presences.hold(self._world.org, self.session(), HOLDER, None)

    async def release(self) -> None:
        with suppress(NotFound, IndexError):
            await self._world.services.presences.release(self._world.org, self.session(), HOLDER, SOMEBODY)

    async def beat(self) -> None:
        if self._names:
            await self._world.services.presences.beat(self._world.org, self.name(), HOLDER)

    async def amend(self) -> None:
        facet = str(self._random.random())
        if self._names:
            driven = self._world.services.driven
            await driven.amend(self._world.org, self.name(), "crowd", lambda _: facet, SOMEBODY)

    async def finish(self) -> None:
        if self._names:
            await self._world.services.driven.finish_named(self._world.org, self.name(), "done", SOMEBODY)

    async def sweep(self) -> None:
        sessions = self._random.choices(self._sessions, k=2) if self._sessions else []
        driven = self._world.services.driven
        await driven.sweep(self._world.org, sessions, SWEEP, SOMEBODY, "crowd", lambda _: None)

    def name(self) -> Name:
        return self._random.choice(self._names)

    def session(self) -> SessionId:
        return self._random.choice(self._sessions)


async def stored(world: World) -> Sequence[DrivenSession]:
    """The whole roster, read by a transaction: from rows, and from nothing that was read before."""

    async def verb(tx: Tx) -> Sequence[DrivenSession]:
        return await tx.driven_sessions(world.org)

    return await world.store.write(verb)


@pytest.mark.parametrize("seed", range(5))
async def test_a_roster_is_what_its_rows_would_say_whatever_changed_since_the_last(
    seed: int, world: World
) -> None:
    random = Random(seed)
    crowd = Crowd(world, random)
    sizes: set[int] = set()
    for _ in range(150):
        for _ in range(random.choice((1, 1, 1, 8))):
            await crowd.act()
        roster = await world.services.rosters.read(world.org)
        rows = await stored(world)
        assert list(roster.sessions) == list(rows)
        sizes.add(len(rows))
    assert max(sizes) > 5
    assert await world.problems() == []


async def test_a_roster_stands_until_something_in_it_changes(world: World) -> None:
    rosters = world.services.rosters
    await world.new_session(NewSession(name=Name("task", "1"), driver=HOLDER))
    first = await rosters.read(world.org)
    await world.send(await world.new_session())
    assert await rosters.read(world.org) is first
    world.clock.advance(1)
    await world.services.presences.beat(world.org, Name("task", "1"), HOLDER)
    assert await rosters.read(world.org) is not first


async def test_a_roster_of_very_many_changes_is_whole_again(world: World) -> None:
    """More than are named one by one in a query."""
    assert list((await world.services.rosters.read(world.org)).sessions) == []
    made = [await world.new_session(NewSession(driver=HOLDER)) for _ in range(MOST_NAMED + 20)]
    roster = await world.services.rosters.read(world.org)
    assert {one.id for one in roster.sessions} == set(made)
    assert list(roster.sessions) == list(await stored(world))


async def test_a_roster_whose_reader_went_away_is_read_by_the_next(
    sqlite: SqliteDatabase, clock: HandClock
) -> None:
    async with open_world(sqlite, clock) as world:
        await world.new_session(NewSession(driver=HOLDER))
        readers = [asyncio.create_task(world.services.rosters.read(world.org)) for _ in range(3)]
        await asyncio.wait(readers, timeout=0)
        readers[0].cancel()
        await asyncio.wait(readers)
        assert [reader.cancelled() for reader in readers] == [True, False, False]
        assert len((await readers[1]).sessions) == 1
        assert await readers[2] is await readers[1]


async def test_where_others_write_too_every_roster_is_read_from_the_store(world: World) -> None:
    services = world.services
    rosters = Rosters(world.store.reads, services.agents, services.hub, is_shared=True)
    assert list((await rosters.read(world.org)).sessions) == []
    session = await world.new_session(NewSession(agent="spawning", driver=HOLDER))
    (driven,) = (roster := await rosters.read(world.org)).sessions
    assert driven.id == session
    assert roster.agent_names == {(driven.agent, driven.agent_version): "spawning"}
    assert await world.store.reads.driven_sessions(world.org, []) == []
    assert await world.store.reads.driven_sessions(world.org, [session]) == [driven]
