"""Workers over a test's services, and ways to wait for what they do."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress

from sojourn.domain.agent import AgentSpec
from sojourn.domain.events import ToolCompleted
from sojourn.domain.feed import FeedItem
from sojourn.domain.ids import SessionId
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.log import StoredEvent
from sojourn.ports.turns import Runner, Turns
from sojourn.runners.model.client import ModelClient
from sojourn.runners.model.loop import ModelRunner
from sojourn.runners.model.tools import Tool
from sojourn.service.sessions import NewSession
from sojourn.worker.execution import Execution, Folds
from sojourn.worker.loop import Worker, WorkerSettings
from tests.support.world import TOOLSET, World

BOUND_SECONDS = 20.0
SETTINGS = WorkerSettings("worker")


def model_runner(model: ModelClient, tools: Sequence[Tool] = ()) -> ModelRunner:
    return ModelRunner(lambda _org, _model: model, {TOOLSET: tools})


def execution(world: World, runner: Runner, folds: Folds | None = None) -> Execution:
    """One claim's execution, without a worker around it."""
    return Execution(world.services.turns, {"model": runner}, folds or Folds())


async def new_session(world: World, new: NewSession | None = None) -> SessionId:
    """A session of an agent that has the test's tools."""
    if await world.store.reads.find_agent(world.org, TOOLSET) is None:
        await world.services.agents.create(world.org, AgentSpec(name=TOOLSET, tools=(TOOLSET,)))
    return await world.new_session(new or NewSession(agent=TOOLSET))


@asynccontextmanager
async def working(
    world: World,
    runner: Runner,
    settings: WorkerSettings = SETTINGS,
    *,
    turns: Turns | None = None,
    hears: bool = True,
    kind: RunnerKind = "model",
) -> AsyncGenerator[Worker]:
    """A running worker, stopped gracefully at the end.

    One that does not hear is in the place of another process: it learns of nothing but by polling and by its writes.
    """
    worker = Worker(turns or world.services.turns, {kind: runner}, settings)
    if hears:
        world.services.hub.connect_worker(worker.hear, worker.stop_turn, worker.hear_of_others, worker.doubt)
    task = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            async with asyncio.timeout(BOUND_SECONDS):
                await task


async def follow(world: World, session: SessionId, after: int = 0) -> AsyncGenerator[FeedItem]:
    return await world.services.feed.follow(world.org, session, after)


async def until(world: World, session: SessionId, type: str, count: int = 1) -> None:
    """Return once the log holds `count` events of a type."""
    async with asyncio.timeout(BOUND_SECONDS), aclosing(await follow(world, session)) as items:
        async for item in items:
            count -= isinstance(item, StoredEvent) and item.type == type
            if count == 0:
                return


async def waited(event: asyncio.Event) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        await event.wait()


async def results(world: World, session: SessionId) -> Mapping[tuple[int, int], str]:
    """The statuses of the tools' results by call and index; each has one, or this fails."""
    found: dict[tuple[int, int], str] = {}
    for tool in await world.said(session, ToolCompleted):
        assert (tool.call, tool.index) not in found, f"{tool.name} has two results"
        found[tool.call, tool.index] = tool.status
    return found
