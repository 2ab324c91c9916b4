"""An interrupt against a step at work: that step has ended before the next turn begins, or is left behind."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from typing import Any

import pytest

from sojourn.domain.actor import Actor
from sojourn.domain.agent import AgentSpec
from sojourn.domain.content import TextPart
from sojourn.domain.events import ToolCompleted, TurnCancelled
from sojourn.domain.feed import Preview
from sojourn.domain.ids import KeyId, SessionId, uuid7
from sojourn.domain.kinds import RunnerKind
from sojourn.ports.turns import Journal, Ready
from sojourn.runners.model.client import ModelAnswer, ModelRequest, TextDelta
from sojourn.service.inputs import NewInput
from sojourn.service.sessions import NewSession
from sojourn.worker import loop
from sojourn.worker.loop import WorkerSettings
from tests.runners.model import chat
from tests.runners.model.loopback import Reply, events, loopback_provider
from tests.runners.model.test_providers import compatible
from tests.support.world import World
from tests.worker.late import LateAnswers
from tests.worker.model import Answer, ScriptedModel, calls, says
from tests.worker.tools import Gate, tool
from tests.worker.workplace import BOUND_SECONDS, follow, model_runner, new_session, until, waited, working

SOON = WorkerSettings("worker", stop_seconds=0.01)


async def interrupt(world: World, session: SessionId) -> Actor:
    """Send the input that takes the place of what runs; who sent it."""
    by = Actor("human", KeyId(uuid7()))
    new = NewInput(content=(TextPart("stop"),), delivery="interrupt")
    await world.services.inputs.send(world.org, session, new, by)
    return by


async def test_the_turn_after_an_interrupt_starts_no_model_call_before_the_stopped_tool_has_ended(
    world: World,
) -> None:
    session, other = await new_session(world), await world.new_session()
    gate = Gate(stubborn=True)
    happened: list[str] = []

    async def run(journal: Journal, arguments: Mapping[str, Any]) -> str:
        output = await gate.tool.run(journal, arguments)
        happened.append("the tool ended")
        return output

    def noted(answer: Answer, what: str) -> Answer:
        async def stream(request: ModelRequest) -> AsyncGenerator[TextDelta | ModelAnswer, None]:
            happened.append(what)
            async for item in answer(request):
                yield item

        return stream

    model = ScriptedModel(calls("slow"), noted(says("fine"), "another"), noted(says("fine"), "the next"))
    async with working(world, model_runner(model, [tool("slow", run)])):
        await world.send(session)
        await waited(gate.entered)
        await interrupt(world, session)
        await waited(gate.cancelled)
        # Whatever the worker would have begun too early, it has begun by the time that another's turn is over.
        await world.send(other)
        await until(world, other, "turn.completed")
        gate.open()
        await until(world, session, "turn.completed")
    assert happened == ["another", "the tool ended", "the next"]
    assert await world.problems() == []


async def test_a_tool_that_will_not_stop_holds_its_session_up_for_a_bounded_time_and_writes_nothing_more(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("CRITICAL", "sojourn.worker.loop")
    session = await new_session(world)
    gate = Gate(stubborn=True)
    model = ScriptedModel(calls("gate"), says("fine"))
    async with working(world, model_runner(model, [gate.tool]), SOON):
        await world.send(session)
        await waited(gate.entered)
        by = await interrupt(world, session)
        await until(world, session, "turn.completed")
        before = await world.types(session)
        gate.open()
        await world.send(session)
        await until(world, session, "turn.completed", 2)
    assert [one.by for one in await world.said(session, TurnCancelled)] == [by]
    assert [one.status for one in await world.said(session, ToolCompleted)] == ["cancelled"]
    assert (await world.types(session))[: len(before)] == before
    assert await world.problems() == []


class Polled(LateAnswers):
    """Tells when the worker has looked for turns twice more, and so has begun whatever it would begin."""

    def __init__(self, world: World) -> None:
        super().__init__(world, "retry")
        self._left = 0
        self._polled = asyncio.Event()

    async def ready(self, runner: RunnerKind, limit: int) -> Sequence[Ready]:
        self._left -= 1
        if self._left == 0:
            self._polled.set()
        return await super().ready(runner, limit)

    async def polled(self) -> None:
        self._left = 3
        self._polled.clear()
        await waited(self._polled)


async def test_a_step_that_will_not_stop_keeps_its_room_until_it_ends(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level("CRITICAL", "sojourn.worker.loop")
    monkeypatch.setattr(loop, "POLL_SECONDS", 0.01)
    session, other = await new_session(world), await new_session(world)
    stuck, free = Gate("stuck", stubborn=True), Gate("free")
    model, turns = ScriptedModel(calls("stuck"), calls("free"), says("fine")), Polled(world)
    settings = WorkerSettings("worker", capacity=2, stop_seconds=0.01)
    async with working(world, model_runner(model, [stuck.tool, free.tool]), settings, turns=turns):
        await world.send(session)
        await waited(stuck.entered)
        await interrupt(world, session)
        await waited(free.entered)
        await world.send(other)
        await turns.polled()
        # There is room for the stuck step and one turn, so the other session's waits for one of them to end.
        assert (await world.record(other)).session.activity == "queued"
        stuck.open()
        await until(world, other, "turn.completed")
        assert "turn.completed" not in await world.types(session)
        free.open()
        await until(world, session, "turn.completed")


async def under_way(world: World, session: SessionId) -> None:
    """Return once some of an answer has come."""
    async with asyncio.timeout(BOUND_SECONDS), aclosing(await follow(world, session)) as items:
        async for item in items:
            if isinstance(item, Preview):
                return


async def test_an_interrupted_model_call_is_hung_up_on(world: World) -> None:
    hangs = Reply(pieces=events(chat.chunk({"content": "Once upon"}), done=""), then="hang")
    async with loopback_provider(hangs, chat.answer("fine")) as provider:
        client = compatible(provider)
        spec = AgentSpec(name="calls a provider", model="openai-compatible/gpt-4o-mini")
        agent = (await world.services.agents.create(world.org, spec)).value.id
        session = await world.new_session(NewSession(agent=agent))
        async with working(world, model_runner(client)):
            await world.send(session)
            await under_way(world, session)
            by = await interrupt(world, session)
            await waited(provider.client_left)
            await until(world, session, "turn.completed")
        await client.aclose()
    [cancelled] = await world.said(session, TurnCancelled)
    assert (cancelled.reason, cancelled.by) == ("interrupted", by)
    assert await world.problems() == []
