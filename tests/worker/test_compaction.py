"""A conversation that becomes too long for its model is summarised, or fails its turn."""

from collections.abc import Sequence
from itertools import pairwise

from sojourn.domain.agent import AgentSpec, Compaction
from sojourn.domain.content import Message
from sojourn.domain.events import (
    CompactionCompleted,
    CompactionStarted,
    MessageAbandoned,
    MessageCompleted,
    ModelCalled,
    TurnFailed,
    UsageRecorded,
)
from sojourn.domain.fold import SUMMARY_OF
from sojourn.domain.ids import SessionId
from sojourn.runners.model.client import ContextFull, ModelRequest, TextDelta
from sojourn.runners.model.compaction import INSTRUCTIONS
from sojourn.service.sessions import NewSession
from tests.support.world import World
from tests.worker.model import ScriptedModel, Stream, answered, calls, says
from tests.worker.tools import prints
from tests.worker.workplace import TOOLSET, model_runner, until, working


class SmallModel:
    """Reads so many characters and no more; answers with how many messages it read, and summarises in six words."""

    def __init__(self, characters: int) -> None:
        self._characters = characters
        self.read: list[Sequence[Message]] = []
        self.summaries = 0

    async def stream(self, request: ModelRequest) -> Stream:
        if sum(len(message.text) for message in request.messages) > self._characters:
            raise ContextFull("The conversation is too long.")
        if request.instructions == INSTRUCTIONS:
            self.summaries += 1
            yield answered(f"summary {self.summaries} of what was said")
            return
        self.read.append(request.messages)
        text = f"read {len(request.messages)}"
        yield TextDelta(text)
        yield answered(text)


async def test_a_conversation_that_is_too_long_is_summarised_and_the_turn_goes_on(world: World) -> None:
    session = await compacting(world, Compaction())
    model = SmallModel(20_000)
    async with working(world, model_runner(model)):
        for number in range(1, 8):
            await world.send(session, f"{number} {'word ' * 1_200}")
            await until(world, session, "turn.completed", number)
    first = model.read[3][0]
    assert first.role == "user"
    assert first.text == f"{SUMMARY_OF}\n\nsummary 1 of what was said"
    assert model.read[3][-1].text.startswith("4 word")
    # Nobody's message is lost from the log, and each was answered once.
    assert len(await world.said(session, MessageCompleted)) == 7
    assert model.summaries == len(await world.said(session, CompactionCompleted)) > 1
    assert len(await world.said(session, UsageRecorded)) == model.summaries
    assert len(await world.said(session, MessageAbandoned)) == model.summaries


async def test_a_text_that_is_too_long_to_be_summarised_is_shortened_and_each_try_has_its_intent(
    world: World,
) -> None:
    session = await compacting(world, Compaction())
    model = SmallModel(20_000)
    async with working(world, model_runner(model)):
        await world.send(session, "a" * 19_000)
        await until(world, session, "turn.completed")
        await world.send(session, "b" * 900)
        await until(world, session, "turn.completed", 2)
        model = SmallModel(6_000)
    async with working(world, model_runner(model)):
        await world.send(session, "c" * 900)
        await until(world, session, "turn.completed", 3)
    assert len(await world.said(session, CompactionStarted)) == 3
    assert len(await world.said(session, CompactionCompleted)) == 1


async def test_a_message_that_is_too_long_by_itself_fails_its_turn(world: World) -> None:
    session = await compacting(world, Compaction())
    async with working(world, model_runner(SmallModel(100))):
        await world.send(session, "word " * 30)
        await until(world, session, "turn.failed")
    [failed] = await world.said(session, TurnFailed)
    assert (failed.reason, "nothing of it is left to summarise" in failed.error) == ("error", True)
    assert not await world.said(session, CompactionStarted)


async def test_where_the_agent_says_so_a_conversation_that_is_too_long_fails_its_turn(world: World) -> None:
    session = await compacting(world, Compaction(when_full="fail"))
    async with working(world, model_runner(SmallModel(8_000))):
        for number in range(1, 3):
            await world.send(session, "word " * 1_200)
            await until(world, session, "turn.completed" if number == 1 else "turn.failed")
    [failed] = await world.said(session, TurnFailed)
    assert (failed.reason, failed.error) == ("error", "The conversation is too long.")


async def test_an_agent_may_have_its_conversation_summarised_before_it_is_too_long(world: World) -> None:
    session = await compacting(world, Compaction(at_tokens=2))
    model = SmallModel(1_000_000)
    async with working(world, model_runner(model)):
        for number in range(1, 4):
            await world.send(session, f"message {number}")
            await until(world, session, "turn.completed", number)
    assert [len(read) for read in model.read] == [1, 2, 2]
    assert [read[-1].text for read in model.read] == ["message 1", "message 2", "message 3"]
    # The call that the claim had announced was never made.
    assert len(await world.said(session, ModelCalled)) == 5


async def test_a_summary_survives_the_worker_that_asked_for_it(world: World) -> None:
    session = await compacting(world, Compaction(at_tokens=2))
    model = SmallModel(1_000_000)
    for number in range(1, 4):
        # A worker of its own for each turn: what the one knew is read from the log by the next.
        async with working(world, model_runner(model)):
            await world.send(session, f"message {number}")
            await until(world, session, "turn.completed", number)
    assert model.read[2][0].text.endswith("summary 2 of what was said")


async def test_a_call_of_a_tool_is_never_parted_from_its_result(world: World) -> None:
    session = await compacting(world, Compaction(at_tokens=2), tools=(TOOLSET,))
    model = ScriptedModel(calls("look"), says("notes"), calls("look"), says("notes"), says("done"))
    async with working(world, model_runner(model, [prints("look", "out " * 50)])):
        await world.send(session, "word " * 400)
        await until(world, session, "turn.completed")
    asked = [request for request in model.requests if request.instructions != INSTRUCTIONS]
    for request in asked:
        roles = [message.role for message in request.messages]
        assert all(before == "assistant" for before, after in pairwise(roles) if after == "tool")
    assert [message.role for message in asked[1].messages] == ["user", "assistant", "tool"]


async def compacting(world: World, compaction: Compaction, tools: tuple[str, ...] = ()) -> SessionId:
    spec = AgentSpec(name="of few words", compaction=compaction, tools=tools)
    agent = await world.services.agents.create(world.org, spec)
    return await world.new_session(NewSession(agent=agent.value.id))
