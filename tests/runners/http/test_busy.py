"""An app that says HealthyBusy keeps its idle session, within limits, over restarts and in any process."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.events import SessionExpired
from sojourn.domain.ids import SessionId
from sojourn.domain.kinds import Json
from sojourn.domain.policy import Policy
from sojourn.domain.session import SessionStatus
from sojourn.outgoing import Outgoing
from sojourn.ports.probes import Idler
from sojourn.ports.turns import Ready
from sojourn.runners.http.probe import HttpProbe
from sojourn.runners.http.runner import HttpRunner
from sojourn.service.keepalive import ASKING
from sojourn.service.sessions import NewSession
from sojourn.worker.execution import Execution, Folds
from tests.runners.http.process import AppProcess
from tests.runners.model.loopback import LoopbackProvider, Reply, loopback_provider
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import World, open_world

IDLE = 900.0
GOOD = Reply(content_type="application/json", pieces=('{"result":"started"}',))


@pytest.fixture
async def world(database: Database, clock: HandClock) -> AsyncGenerator[World]:
    async with open_asking(database, clock) as world:
        yield world


@asynccontextmanager
async def open_asking(database: Database, clock: HandClock) -> AsyncGenerator[World]:
    """A process that asks apps before it ends their sessions."""
    outgoing = Outgoing(allow_private=True)
    async with open_world(database, clock) as world:
        world.services.upkeep.keepalive.register("http", HttpProbe(outgoing, world.services.vault))
        yield world
        await world.services.upkeep.keepalive.close()
    await outgoing.close()


@pytest.fixture
async def app() -> AsyncGenerator[LoopbackProvider]:
    async with loopback_provider(GOOD) as app:
        says(app, "Healthy")
        yield app


def says(app: LoopbackProvider, status: str, **more: Json) -> None:
    fields = "".join(f',"{name}":{value}' for name, value in more.items())
    app.standing["/ping"] = Reply(
        content_type="application/json", pieces=(f'{{"status":"{status}"{fields}}}',)
    )


async def answered(world: World, url: str, prompt: str = "begin", **config: Json) -> SessionId:
    """A session whose one turn is over, and which may be idle for fifteen minutes."""
    spec = AgentSpec(name="app", runner="http", runner_config={"url": url, **config})
    await world.services.agents.create(world.org, spec)
    session = await world.new_session(NewSession(agent="app", policy=Policy(idle_timeout_seconds=IDLE)))
    await world.send(session, prompt)
    turn = await world.services.turns.claim(Ready(world.org, session), "worker", ("http",))
    assert turn is not None
    runner = HttpRunner(Outgoing(allow_private=True), world.services.vault)
    await Execution(world.services.turns, {"http": runner}, Folds()).execute(turn)
    assert (await world.types(session))[-1] == "turn.completed"
    return session


async def is_open_after(world: World, session: SessionId, seconds: float) -> bool:
    world.clock.advance(seconds)
    await world.services.upkeep.tick()
    await world.services.upkeep.keepalive.join()
    return (await world.record(session)).session.status is SessionStatus.OPEN


async def test_a_busy_app_keeps_its_session_until_it_is_healthy_over_restarts(
    database: Database, clock: HandClock, app: LoopbackProvider
) -> None:
    async with open_asking(database, clock) as world:
        session = await answered(world, app.base_url)
        says(app, "HealthyBusy")
        assert await is_open_after(world, session, IDLE)
        assert (await world.record(session)).session.active_at == clock.now()
    async with open_asking(database, clock) as world:
        assert await is_open_after(world, session, IDLE)
        assert await world.problems() == []
        says(app, "Healthy")
        assert await is_open_after(world, session, IDLE - 1)
        assert not await is_open_after(world, session, 1)
        (expired,) = await world.said(session, SessionExpired)
        assert (expired.reason, expired.by.kind) == ("idle", "timeout")
        assert await world.problems() == []


async def test_the_end_of_the_apps_work_is_when_the_idle_time_begins(
    world: World, app: LoopbackProvider
) -> None:
    session = await answered(world, app.base_url)
    ended_at = world.clock.now() + timedelta(seconds=IDLE - 100)
    says(app, "Healthy", time_of_last_update=int(ended_at.timestamp()))
    assert await is_open_after(world, session, IDLE)
    assert await is_open_after(world, session, IDLE - 110)
    assert not await is_open_after(world, session, 20)


async def test_an_app_that_is_busy_for_ever_keeps_its_session_for_as_long_as_its_agent_says(
    world: World, app: LoopbackProvider
) -> None:
    session = await answered(world, app.base_url, max_busy_seconds=2000)
    says(app, "HealthyBusy")
    assert await is_open_after(world, session, IDLE)
    assert await is_open_after(world, session, IDLE)
    assert not await is_open_after(world, session, IDLE)


async def test_a_session_whose_app_cannot_be_asked_expires(world: World, app: LoopbackProvider) -> None:
    session = await answered(world, app.base_url)
    app.standing["/ping"] = Reply(then="break")
    assert not await is_open_after(world, session, IDLE)


async def test_a_busy_app_does_not_hold_off_the_end_of_the_lifetime(
    world: World, app: LoopbackProvider
) -> None:
    session = await answered(world, app.base_url)
    says(app, "HealthyBusy")
    policy = Policy(idle_timeout_seconds=IDLE, max_lifetime_seconds=IDLE)
    other = await world.new_session(NewSession(agent="app", policy=policy))
    assert await is_open_after(world, session, IDLE)
    assert (await world.record(other)).session.status is SessionStatus.EXPIRED


async def test_a_session_that_was_never_worked_for_expires_without_a_question(
    world: World, app: LoopbackProvider
) -> None:
    await answered(world, app.base_url)
    connections = app.connections
    fresh = await world.new_session(NewSession(agent="app", policy=Policy(idle_timeout_seconds=10)))
    assert not await is_open_after(world, fresh, 10)
    assert app.connections == connections


class Cut:
    """Stands for a process that is lost while it waits for the answer."""

    async def last_active(self, idler: Idler, now: object) -> None:
        raise OSError("the process is gone")


async def test_a_question_that_was_lost_with_its_process_is_put_again(
    world: World, app: LoopbackProvider
) -> None:
    session = await answered(world, app.base_url)
    says(app, "HealthyBusy")
    keepalive = world.services.upkeep.keepalive
    keepalive.register("http", Cut())
    assert await is_open_after(world, session, IDLE)
    keepalive.register("http", HttpProbe(Outgoing(allow_private=True), world.services.vault))
    before = (await world.record(session)).session.active_at
    assert await is_open_after(world, session, ASKING.total_seconds())
    assert (await world.record(session)).session.active_at > before


async def test_the_vendors_app_keeps_its_session_while_a_task_of_its_goes_on(
    sqlite: Database, clock: HandClock, process: AppProcess
) -> None:
    async with open_asking(sqlite, clock) as world:
        session = await answered(world, process.url)
        assert await is_open_after(world, session, IDLE)
        await process.kill()
        assert not await is_open_after(world, session, IDLE)
