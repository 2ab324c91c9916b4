"""A fork's past is its parent's log, its rows follow from that log alone, and nothing of it is open."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import NewAsk
from sojourn.domain.content import Usage
from sojourn.domain.errors import IdempotencyMismatch, InvalidRequest, NotFound
from sojourn.domain.events import (
    InputWithdrawn,
    MessageAbandoned,
    ModelCompleted,
    SessionForked,
    ToolCompleted,
    ToolRequested,
    ToolStarted,
    TurnCancelled,
)
from sojourn.domain.filter import Compare, SessionQuery
from sojourn.domain.ids import AskId, KeyId, OrgId, SessionId, uuid7
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import Policy
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, SessionStatus
from sojourn.ports.turns import ClaimedTurn
from sojourn.service import forks
from sojourn.service.forks import NewFork
from sojourn.service.results import Repeat, Result
from sojourn.service.sessions import NewSession, SessionChange
from sojourn.store.where import Dialect
from tests.service.lives import on_random_logs
from tests.support.databases import Database
from tests.support.invariants import check_session
from tests.support.replay import Replay
from tests.support.snapshot import Snapshot, Tables, take
from tests.support.world import SOMEBODY, World

SEEDS: dict[Dialect, int] = {"sqlite": 5, "postgres": 2}
BOUND_SECONDS = 20.0


async def fork(world: World, parent: SessionId, at: int | None = None, **fields: object) -> SessionRecord:
    return (await forked(world, parent, replace(NewFork(at=at), **fields))).value


async def forked(
    world: World, parent: SessionId, new: NewFork, repeat: Repeat | None = None
) -> Result[SessionRecord]:
    return await world.services.forks.fork(world.org, parent, new, SOMEBODY, repeat)


async def snapshot(world: World, session: SessionId) -> Snapshot:
    tables = Tables(world.database.query, world.org)
    return await take(world.store.reads, tables, await world.record(session))


async def check(world: World, parent: Snapshot, child: SessionId, at: int) -> None:
    """All that is true of every fork."""
    made = await snapshot(world, child)
    assert list(check_session(made)) == []
    copied, own = made.events[:at], made.events[at:]
    assert [
        (replace(stored, session=parent.record.session.id, id=former.id), event)
        for (stored, event), (former, _) in zip(copied, parent.events, strict=False)
    ] == list(parent.events[:at])
    assert not {stored.id for stored, _ in made.events} & {stored.id for stored, _ in parent.events}
    first = own[0][1]
    assert isinstance(first, SessionForked)
    assert (first.parent, first.at) == (parent.record.session.id, at)
    assert {type(event) for _, event in own[1:]} <= {
        InputWithdrawn, ToolCompleted, TurnCancelled, MessageAbandoned,
    }  # fmt: skip
    replay = Replay(spawns=False)
    list(replay.over(made.events))
    assert (replay.open_turn, replay.queued) == (None, [])
    assert not any(status == "open" for status in replay.asks.values())
    session = made.record.session
    assert (session.status, session.activity) == (SessionStatus.OPEN, Activity.IDLE)
    assert (made.record.usage, session.revision, session.presences) == (Usage(), 0, 0)
    assert made.tables["leases"] == []


@pytest.mark.timeout(300)
def test_a_fork_at_every_seq_of_random_logs_is_sound(database: Database) -> None:
    on_random_logs(
        database, SEEDS[database.dialect], lambda world, session, _: fork_everywhere(world, session)
    )


async def fork_everywhere(world: World, parent: SessionId) -> None:
    before = await snapshot(world, parent)
    for at in range(1, before.record.session.next_seq):
        made = await fork(world, parent, at)
        assert (made.forked_from, made.forked_seq) == (parent, at)
        await check(world, before, made.session.id, at)
        await world.services.sessions.delete(world.org, made.session.id, SOMEBODY)
    assert await snapshot(world, parent) == before


async def in_a_tool(world: World) -> ClaimedTurn:
    """A turn whose second tool runs, behind one that is done; an input waits behind it."""
    turn = await world.claimed("what time is it?")
    answer = ModelCompleted(call=1, model="m", provider="p", usage=Usage(1, 2), finish_reason="tool_call")
    tools = [
        ToolRequested(call=1, index=index, id=f"t{index}", name="clock", arguments="{}") for index in (0, 1)
    ]
    starts = [ToolStarted(call=1, index=index) for index in (0, 1)]
    await world.services.turns.append(turn, (answer, *tools), starts)
    done = ToolCompleted(call=1, index=0, id="t0", name="clock", status="done", output="noon")
    await world.services.turns.append(turn, (done,))
    await world.send(turn.session, "and then?")
    return turn


async def test_a_fork_within_a_turn_answers_its_open_calls_and_withdraws_what_waited(world: World) -> None:
    turn = await in_a_tool(world)
    head = await world.types(turn.session)
    made = await fork(world, turn.session)
    child = made.session.id
    assert (await world.types(child))[len(head) :] == [
        "session.forked",
        "tool.completed",
        "turn.cancelled",
        "input.withdrawn",
    ]
    closed = (await world.said(child, ToolCompleted))[-1]
    assert (closed.id, closed.status) == ("t1", "cancelled")
    assert await world.types(turn.session) == head
    result = ToolCompleted(call=1, index=1, id="t1", name="clock", status="done", output="one")
    await world.services.turns.append(turn, (result,))
    (parents,) = await world.said(child, SessionForked)
    assert (parents.parent, parents.at) == (turn.session, len(head))
    assert await world.problems() == []


async def test_a_fork_goes_on_from_where_its_parent_was(world: World) -> None:
    turn = await world.claimed("one")
    done = ModelCompleted(call=1, model="m", provider="p", usage=Usage(1, 2), finish_reason="stop")
    await world.services.turns.settle(turn, (done,))
    made = await fork(world, turn.session)
    child = made.session.id
    assert (await world.conversation(child)).messages == (await world.conversation(turn.session)).messages
    await world.send(child, "two")
    await world.send(turn.session, "three")
    claimed = await world.claim(child)
    assert claimed.session == child
    texts = [[part.text for part in (await world.conversation(id)).messages] for id in (child, turn.session)]
    assert texts == [["one", "two"], ["one"]]
    assert (await world.record(child)).usage == Usage()
    assert await world.problems() == []


async def test_a_fork_has_the_files_of_then_and_an_area_of_its_own(world: World) -> None:
    session, files = await world.new_session(), world.services.files
    await files.write(world.org, session, "a", b"1")
    await files.write(world.org, session, "d/b", b"2", readonly=True)
    await files.make_directory(world.org, session, "e")
    at = (await world.record(session)).session.next_seq - 1
    then = await files.list(world.org, session, recursive=True)
    await files.write(world.org, session, "a", b"later")
    await files.delete(world.org, session, "e")
    child = (await fork(world, session, at)).session.id
    assert await files.list(world.org, child, recursive=True) == then
    await files.write(world.org, child, "a", b"the child's")
    assert (await files.read(world.org, session, "a"))[1] == b"later"
    assert (await files.read(world.org, child, "d/b"))[1] == b"2"
    assert await world.problems() == []


async def test_a_fork_leaves_open_asks_to_its_parent(world: World) -> None:
    turn = await world.claimed()
    ask = NewAsk(id=AskId(uuid7()), kind="approval", prompt={"a": 1})
    await world.services.turns.wait(turn, (), (ask,), "parked")
    child = (await fork(world, turn.session)).session.id
    (theirs,) = await world.store.reads.list_asks(world.org, child, open_only=False)
    assert (theirs.id, theirs.status, theirs.prompt) == (ask.id, "void", ask.prompt)
    assert [one.status for one in await world.store.reads.list_asks(world.org, turn.session, True)] == [
        "open"
    ]
    assert await world.problems() == []


async def test_what_is_said_of_a_fork_is_its_parents_unless_it_is_given(world: World) -> None:
    agent = await world.services.agents.create(world.org, AgentSpec(name="other"))
    policy = Policy(idle_timeout_seconds=60)
    overlay = Overlay(instructions="Be brief.")
    new = NewSession(
        overlay=overlay,
        title="t",
        tags=("a",),
        metadata={"k": 1},
        external_id="order 1",
        policy=policy,
        facet=("kodexa", "{}"),
    )
    session = await world.new_session(new)
    like = await fork(world, session)
    assert (like.title, like.tags, like.metadata, like.external_id) == ("t", ("a",), {"k": 1}, None)
    parent = await world.record(session)
    assert (like.session.agent, like.session.policy) == (parent.session.agent, policy)
    assert (like.overlay, like.session.overlaid) == (overlay, True)
    assert like.expires_at == world.clock.now() + timedelta(seconds=60)
    assert await world.store.reads.get_facet(world.org, like.session.id, "kodexa") is None
    unlike = await fork(
        world, session, title=None, tags=("b",), metadata={}, agent="other", external_id="order 2"
    )
    assert (unlike.title, unlike.tags, unlike.metadata, unlike.external_id) == (None, ("b",), {}, "order 2")
    assert unlike.session.agent == agent.value.id
    where = Compare("forked_from", "eq", session)
    listed = await world.services.sessions.list(world.org, SessionQuery(where=where))
    assert {one.session.id for one in listed} == {like.session.id, unlike.session.id}
    assert await world.problems() == []


async def test_forks_are_made_of_ended_archived_and_forked_sessions(world: World) -> None:
    session = await world.new_session(NewSession(tags=("a",)))
    await world.services.sessions.update(world.org, session, SessionChange(title="new"), SOMEBODY)
    await world.services.sessions.archive(world.org, session, True, SOMEBODY)
    await world.services.sessions.end(world.org, session, "failed", "why", SOMEBODY)
    first = await fork(world, session)
    assert (first.session.status, first.session.archived_at) == (SessionStatus.OPEN, None)
    await world.send(first.session.id)
    second = await fork(world, first.session.id)
    third = await fork(world, second.session.id, 2)
    assert (third.forked_from, third.forked_seq) == (second.session.id, 2)
    assert await world.problems() == []


async def test_a_repeated_fork_makes_one_child(world: World) -> None:
    session = await world.new_session()
    repeat = Repeat(KeyId(uuid7()), "fork", "once", b"hash")
    one = await forked(world, session, NewFork(), repeat)
    await world.send(session)
    two = await forked(world, session, NewFork(), repeat)
    assert (one.value.session.id, one.created, one.replayed) == (two.value.session.id, True, False)
    assert (two.created, two.replayed) == (True, True)
    with pytest.raises(IdempotencyMismatch):
        await forked(world, session, NewFork(at=1), replace(repeat, request_hash=b"other"))
    named = await forked(world, session, NewFork(external_id="x"))
    again = await forked(world, session, NewFork(external_id="x", at=1))
    assert (again.value.session.id, again.created) == (named.value.session.id, False)
    assert await world.problems() == []


@pytest.mark.parametrize("at", [0, -1, 3, 2**62])
async def test_a_seq_that_the_log_does_not_have_is_refused(world: World, at: int) -> None:
    session = await world.new_session()
    await world.services.files.make_directory(world.org, session, "d")
    with pytest.raises(InvalidRequest, match="1 to 2"):
        await fork(world, session, at)


async def test_another_organisations_session_and_a_deleted_one_are_not_forked(world: World) -> None:
    session = await world.new_session()
    with pytest.raises(NotFound):
        await world.services.forks.fork(OrgId(uuid7()), session, NewFork(), SOMEBODY)
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    with pytest.raises(NotFound):
        await fork(world, session)


async def test_a_child_is_whole_when_its_parent_is_gone(world: World) -> None:
    session, large = await world.new_session(), "x" * 50_000
    await world.send(session, large)
    await world.services.files.write(world.org, session, "f", b"content")
    child = (await fork(world, session)).session.id
    log = await world.log(child)
    await world.services.sessions.delete(world.org, session, SOMEBODY)
    await world.services.upkeep.purge()
    assert await world.log(child) == log
    assert (await world.services.files.read(world.org, child, "f"))[1] == b"content"
    assert await world.problems() == []
    await world.services.sessions.delete(world.org, child, SOMEBODY)
    await world.services.upkeep.purge()
    assert world.database.query("SELECT sha256 FROM blobs") == []


async def test_a_long_past_is_copied_in_pieces_that_nobody_sees_before_the_end(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "PIECE", 3)
    turn = await in_a_tool(world)
    for name in "abcdefgh":
        await world.services.files.write(world.org, turn.session, name, b"")
    before = await snapshot(world, turn.session)
    for at in range(1, before.record.session.next_seq):
        made = await fork(world, turn.session, at)
        await check(world, before, made.session.id, at)
        tombstone = await world.store.reads.get_tombstone(world.org, made.session.id)
        assert tombstone is None
    told = {event.session for event in world.published if event.type == "session.created"}
    assert told == {turn.session}
    assert await world.problems() == []


async def test_a_parent_that_is_deleted_meanwhile_leaves_no_child_and_what_was_copied_is_purged(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "PIECE", 1)
    turn = await in_a_tool(world)

    def copied() -> int:
        """How many events there are of a session that is not there."""
        sessions = {id for (id,) in world.database.query("SELECT id FROM sessions")} | {turn.session.bytes}
        return sum(id not in sessions for (id,) in world.database.query("SELECT session FROM events"))

    forking = asyncio.create_task(fork(world, turn.session))
    async with asyncio.timeout(BOUND_SECONDS):
        while not copied():
            # A transaction of its own: the fork's go on meanwhile.
            await world.store.write(lambda tx: tx.get_tombstone(world.org, turn.session))
    await world.services.sessions.delete(world.org, turn.session, SOMEBODY)
    with pytest.raises(NotFound):
        await forking
    await world.services.upkeep.purge()
    assert copied() > 0
    world.clock.advance(forks.STAGED_FOR.total_seconds())
    await world.services.upkeep.purge()
    assert copied() == 0
    assert await world.problems() == []
