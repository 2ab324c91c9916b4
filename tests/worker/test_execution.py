"""How a claim ends, whatever its runner does."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from sojourn.domain.events import MessageCompleted, ToolCompleted, TurnFailed
from sojourn.domain.ids import EventId, SessionId, uuid7
from sojourn.domain.log import LogEntry, StoredEvent
from sojourn.ports import Tx
from sojourn.ports.endings import Parked, Settled
from sojourn.ports.turns import ClaimedTurn, Journal
from sojourn.service.verbs import NO_USAGE
from sojourn.worker.execution import Folds
from tests.support.world import SOMEBODY, World
from tests.worker.model import Hang, ScriptedModel, calls, says
from tests.worker.tools import prints
from tests.worker.workplace import execution, model_runner, new_session, until, waited, working

# What JSON has no form for.
NO_TEXT = cast(str, b"\xff".join)


class Defective:
    """A runner with a defect, which shows in its first turn only."""

    def __init__(self, defect: BaseException) -> None:
        self._defects = [defect]

    async def run(self, journal: Journal) -> Settled:
        if self._defects:
            raise self._defects.pop()
        return Settled(events=())


class Overtaken:
    """A runner that parks its turn for a question which was decided since it looked."""

    def __init__(self) -> None:
        self._runs = 0

    async def run(self, journal: Journal) -> Parked | Settled:
        self._runs += 1
        left = journal.conversation.progress.unfinished().closing("unknown", "asked")
        return Parked(events=left, asks=()) if self._runs == 1 else Settled(events=left)


async def test_a_turn_that_has_nothing_left_to_wait_for_goes_on_without_a_fault(world: World) -> None:
    session = await world.new_session()
    sent = await world.send(session)
    async with working(world, Overtaken()):
        await until(world, session, "turn.completed")
    types = await world.types(session)
    assert (types.count("turn.started"), types.count("message.abandoned")) == (2, 1)
    assert "turn.retried" not in types
    assert (await world.services.turns.get(world.org, session, sent.turn)).faults == 0
    assert await world.problems() == []


@pytest.mark.parametrize(
    "defect", [KeyError("oops"), asyncio.CancelledError()], ids=["error", "cancellation"]
)
async def test_a_runner_s_defect_ends_its_turn_with_an_error_and_the_next_turn_runs(
    world: World, defect: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    session = await world.new_session()
    await world.send(session)
    await world.send(session)
    with caplog.at_level(logging.CRITICAL, "sojourn.worker.execution"):
        async with working(world, Defective(defect)):
            await until(world, session, "turn.completed")
    failed, *others = await world.said(session, TurnFailed)
    assert (failed.reason, others) == ("error", [])
    assert "oops" not in failed.error
    # The open message got its end before the turn did.
    types = await world.types(session)
    assert types.index("message.abandoned") < types.index("turn.failed")


async def test_an_answer_that_cannot_be_stored_fails_its_turn_and_does_not_hold_the_session(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session = await world.new_session()
    await world.send(session)
    await world.send(session)
    model = ScriptedModel(says(NO_TEXT), says("fine"))
    with caplog.at_level(logging.CRITICAL, "sojourn.worker.execution"):
        async with working(world, model_runner(model)):
            await until(world, session, "turn.completed")
    assert [failed.reason for failed in await world.said(session, TurnFailed)] == ["error"]
    assert (await world.types(session)).count("message.abandoned") == 1


async def test_halves_of_characters_are_joined_or_replaced_and_the_turn_goes_on(world: World) -> None:
    session = await new_session(world)
    await world.send(session)
    model = ScriptedModel(calls("half", arguments='{"a": "\ud83d"}'), says("\ud83d\ude00 \ud83d!"))
    async with working(world, model_runner(model, [prints("half", "\udfff")])):
        await until(world, session, "turn.completed")
    *_, said = await world.said(session, MessageCompleted)
    assert said.text == "\U0001f600 \ufffd!"
    [result] = await world.said(session, ToolCompleted)
    assert (result.status, result.output) == ("done", "\ufffd")


async def test_tool_calls_left_open_by_a_defect_get_their_one_result(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    session = await new_session(world)
    await world.send(session)
    model = ScriptedModel(calls("unprintable", "fine"), says("never asked"))
    tools = [prints("unprintable", NO_TEXT), prints("fine", "fine")]
    with caplog.at_level(logging.CRITICAL, "sojourn.worker.execution"):
        async with working(world, model_runner(model, tools)):
            await until(world, session, "turn.failed")
    types = await world.types(session)
    assert types.count("tool.requested") == types.count("tool.completed") == 2
    assert len(model.requests) == 1


async def test_an_event_of_a_newer_release_fails_the_claim_and_the_error_names_it(world: World) -> None:
    session = await world.new_session()
    await append_unknown(world, session)
    await world.send(session)
    model = ScriptedModel(says("never asked"))
    turn = await world.claim(session)
    await execution(world, model_runner(model)).execute(turn)
    [failed] = await world.said(session, TurnFailed)
    assert failed.reason == "error"
    assert "planet.discovered" in failed.error
    assert "upgrade the worker" in failed.error
    assert model.requests == []


async def append_unknown(world: World, session: SessionId) -> None:
    """An event as a later release might write it."""
    now = world.clock.now()

    async def verb(tx: Tx) -> None:
        state = await tx.lock_session(world.org, session)
        assert state is not None
        seq = state.session.next_seq
        await tx.write_session(replace(state.session, next_seq=seq + 1), state.session.fence, NO_USAGE)
        number, id = await tx.next_tx(world.org, session), EventId(uuid7())
        event = StoredEvent(world.org, session, seq, id, "planet.discovered", 1, now, None, number, "{}")
        await tx.append_events([event])

    await world.store.write(verb)


async def test_a_kept_fold_answers_as_a_fold_of_the_whole_log_does(world: World) -> None:
    session = await world.new_session()
    for text in ("one", "two"):
        await world.send(session, text)
    model = ScriptedModel(says("first"), says("second"))
    runner, kept = model_runner(model), Folds()
    await execution(world, runner, kept).execute(await world.claim(session))
    await execution(world, runner, kept).execute(await world.claim(session))
    texts = [[message.text for message in request.messages] for request in model.requests]
    assert texts == [["one"], ["one", "first", "two"]]
    assert kept.take(world.org, session).messages[:3] == list(model.requests[1].messages)


async def test_what_an_interrupted_turn_read_of_the_log_is_not_read_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, hang, kept = await world.new_session(), Hang("so"), Folds()
    for text in ("one", "two"):
        await world.send(session, text)
    model = ScriptedModel(hang, says("second"))
    turn = await world.claim(session)
    claim = asyncio.create_task(execution(world, model_runner(model), kept).execute(turn))
    await waited(hang.begun)
    await world.services.turns.cancel(world.org, session, turn.turn, SOMEBODY)
    claim.cancel()
    await asyncio.wait([claim])
    read: list[int] = []
    entries_after = world.services.turns.entries_after

    async def noted(turn: ClaimedTurn, after: int) -> Sequence[LogEntry]:
        read.append(after)
        return await entries_after(turn, after)

    monkeypatch.setattr(world.services.turns, "entries_after", noted)
    await execution(world, model_runner(model), kept).execute(await world.claim(session))
    assert read[0] > turn_start(await world.log(session), turn)
    assert [message.text for message in model.requests[1].messages] == ["one", "so", "two"]


def turn_start(log: Sequence[LogEntry], turn: ClaimedTurn) -> int:
    return next(entry.seq for entry in log if entry.turn == turn.turn and entry.type == "turn.started")


async def test_a_turn_whose_conversation_cannot_be_read_fails_rather_than_stays_open(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    session = await world.new_session()
    await world.send(session, "a long story " * 5_000)
    world.database.query("DELETE FROM blobs RETURNING size")
    async with working(world, model_runner(ScriptedModel(says("hello")))):
        await until(world, session, "turn.failed")
    assert (await world.record(session)).session.open_turn is None
