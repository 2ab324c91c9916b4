"""A worker of the simulated model, and the errands that its sessions leave one another."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import Ask
from sojourn.domain.errors import AlreadyExists
from sojourn.domain.filter import Compare, SessionQuery
from sojourn.domain.ids import SessionId
from sojourn.domain.kin import SubSessions
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity
from sojourn.runners.model.loop import ModelRunner
from sojourn.runners.model.sim import SimulatedModel
from sojourn.runners.model.tools import BUILT_IN
from sojourn.service.sessions import NewSession
from sojourn.worker.execution import Execution, Folds
from tests.support.world import World
from tests.worker.workplace import BOUND_SECONDS, working

SIM = ModelRunner(lambda _org, _model: SimulatedModel(), BUILT_IN)


def script(*steps: Mapping[str, Any]) -> str:
    return json.dumps(steps)


def run(*messages: str, agent: str = "helper") -> dict[str, Any]:
    """The step that starts a session for each message, all in one answer."""
    return {
        "call": [
            {"name": "run_session", "arguments": {"agent": agent, "message": message}} for message in messages
        ]
    }


async def make_agents(world: World, limits: SubSessions | None = None) -> None:
    """`leader` and `helper`, which may both start sessions of one another."""
    for name in ("leader", "helper"):
        spec = AgentSpec(
            name=name,
            model="sim/script",
            tools=("sessions", "ask_user"),
            sub_sessions=limits or SubSessions(),
        )
        with suppress(AlreadyExists):
            await world.services.agents.create(world.org, spec)


async def lead(world: World, *steps: Mapping[str, Any], limits: SubSessions | None = None) -> SessionId:
    """A session of `leader` with a message that makes it do the steps."""
    await make_agents(world, limits)
    session = await world.new_session(NewSession(agent="leader"))
    await world.send(session, script(*steps))
    return session


@asynccontextmanager
async def family(world: World) -> AsyncGenerator[None]:
    """A worker at work, and errands that are done."""
    errands = asyncio.create_task(world.services.errands.run())
    try:
        async with working(world, SIM):
            yield
    finally:
        errands.cancel()
        with suppress(asyncio.CancelledError):
            await errands


async def children(world: World, parent: SessionId) -> Sequence[SessionRecord]:
    """In the order of their ids, which is that of the calls."""
    query = SessionQuery(where=Compare("parent", "eq", parent), order="asc", limit=1_000)
    return sorted(await world.services.sessions.list(world.org, query), key=lambda record: record.session.id)


async def open_asks(world: World, session: SessionId) -> Sequence[Ask]:
    return await world.services.asks.list(world.org, session, True, None, 100)


async def work_alone(world: World, *sessions: SessionId) -> None:
    """Run each turn that is ready until it yields, here and now, and no errand."""
    for session in sessions:
        turn = await world.claim(session)
        await Execution(world.services.turns, {"model": SIM}, Folds()).execute(turn)


async def do_all(world: World) -> None:
    """Every errand, and those that they leave."""
    async with asyncio.timeout(BOUND_SECONDS):
        while await world.services.errands.do_due():
            pass


async def is_waiting(world: World, session: SessionId) -> bool:
    return (await world.record(session)).session.activity is Activity.WAITING
