"""A tool that changes the memory of its agent, and whose worker was lost before it heard that it had."""

import asyncio
import json

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ids import AgentId, uuid7
from sojourn.domain.memory_events import MemoryWritten
from sojourn.runners.model.loop import ModelRunner
from sojourn.runners.model.memory import MemoryOpener
from sojourn.service.sessions import NewSession
from sojourn.worker.execution import Execution, Folds
from tests.support.world import SOMEBODY, World
from tests.worker.late import LateAnswers
from tests.worker.model import ScriptedModel, calls, says
from tests.worker.workplace import results, until, waited, working


async def remembering(world: World) -> AgentId:
    spec = AgentSpec(name=str(uuid7()), tools=("memory",))
    agent = (await world.services.agents.create(world.org, spec)).value.id
    await world.services.memories.put(world.org, agent, "list", "one\n", SOMEBODY)
    return agent


@pytest.mark.parametrize(
    ("tool", "arguments", "status", "texts"),
    [
        (
            "memory_insert",
            {"path": "list", "insert_line": 1, "insert_text": "two"},
            "unknown",
            ["one\ntwo\n"],
        ),
        (
            "memory_str_replace",
            {"path": "list", "old_str": "one", "new_str": "one, one"},
            "unknown",
            ["one, one\n"],
        ),
        ("memory_create", {"path": "new", "file_text": "two"}, "done", ["one\n", "two"]),
    ],
)
async def test_a_change_whose_worker_was_lost_is_made_once_and_no_result_says_otherwise(
    world: World, tool: str, arguments: dict[str, object], status: str, texts: list[str]
) -> None:
    agent = await remembering(world)
    session = await world.new_session(NewSession(agent=agent))
    await world.send(session)
    model = ScriptedModel(calls(tool, arguments=json.dumps(arguments)), says("done"))
    runner = ModelRunner(lambda _org, _model: model, {}, [MemoryOpener()])
    turn, late = await world.claim(session), LateAnswers(world, "write_memory")
    lost = asyncio.create_task(Execution(late, {"model": runner}, Folds()).execute(turn))
    await waited(late.done)
    lost.cancel()
    await asyncio.wait([lost])
    await world.services.turns.give_back(turn)
    async with working(world, runner):
        await until(world, session, "turn.completed")
    assert await results(world, session) == {(1, 0): status}
    assert len(await world.said(session, MemoryWritten)) == 1
    kept = await world.store.reads.read_memories(world.org, agent, "", "", 10)
    assert [text for _, text in kept] == texts
    assert await world.problems() == []
