"""How long sessions and their parts last: what policy starts, extends, opens again, withdraws and removes."""

from contextlib import aclosing
from datetime import timedelta
from io import BytesIO

import pytest

from sojourn.domain.content import TextPart
from sojourn.domain.errors import InvalidRequest, NotFound, StoreUnavailable, WrongState
from sojourn.domain.events import (
    InputWithdrawn,
    SessionReopened,
    SessionUpdated,
    TurnCancelled,
    TurnFailed,
    TurnReclaimed,
)
from sojourn.domain.feed import Gap
from sojourn.domain.ids import SessionId
from sojourn.domain.log import LogEntry, StoredEvent
from sojourn.domain.policy import DEFAULT_START_SECONDS, Policy
from sojourn.domain.session import Activity, SessionStatus
from sojourn.domain.verifier import BrokenExport
from sojourn.ports import Reads
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.changes import SessionChange
from sojourn.service.codec import read_entry
from sojourn.service.forks import NewFork
from sojourn.service.sessions import NewSession
from tests.service.exported import export, read
from tests.support.clock import START
from tests.support.world import SOMEBODY, World


async def tick_after(world: World, seconds: float) -> None:
    world.clock.advance(seconds)
    await world.services.upkeep.tick()


async def tick_with_worker(world: World, turn: ClaimedTurn, seconds: float) -> None:
    """Its worker lives: the lease is as fresh as can be."""
    world.clock.advance(seconds)
    assert await world.services.turns.renew([turn], "worker") == []
    await world.services.upkeep.tick()


async def status(world: World, session: SessionId) -> SessionStatus:
    return (await world.record(session)).session.status


@pytest.mark.parametrize("seconds", [None, 10.0])
async def test_a_runner_that_never_starts_is_given_up_after_three_claims(
    world: World, seconds: float | None
) -> None:
    policy = Policy(max_start_seconds=seconds)
    session = await world.new_session(NewSession(agent="spawning", policy=policy))
    await world.send(session)
    for _ in range(3):
        turn = await world.claim(session)
        assert (await world.record(session)).session.activity is Activity.STARTING
        await tick_with_worker(world, turn, (seconds or DEFAULT_START_SECONDS) - 1)
        assert (await world.record(session)).session.activity is Activity.STARTING
        await tick_with_worker(world, turn, 1)
        assert await world.services.turns.renew([turn], "worker") == [turn]
    assert [event.cause for event in await world.said(session, TurnReclaimed)] == ["start_expired"] * 3
    [failed] = await world.said(session, TurnFailed)
    assert failed.reason == "no_progress"
    assert await world.problems() == []


async def test_a_runner_that_has_started_is_given_all_the_time_of_its_turn(world: World) -> None:
    policy = Policy(max_start_seconds=10, max_turn_seconds=60)
    session = await world.new_session(NewSession(agent="spawning", policy=policy))
    await world.send(session)
    turn = await world.claim(session)
    await world.services.turns.append(turn, ())
    await tick_with_worker(world, turn, 59)
    assert (await world.record(session)).session.activity is Activity.BUSY
    await tick_with_worker(world, turn, 1)
    [cancelled] = await world.said(session, TurnCancelled)
    assert (cancelled.reason, cancelled.by.kind) == ("expired", "timeout")


async def test_an_input_that_nobody_reads_in_time_is_withdrawn_by_time(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(max_queued_seconds=10)))
    first = await world.send(session)
    world.clock.advance(1)
    second = await world.send(session)
    assert (first.expires_at, second.expires_at) == (
        START + timedelta(seconds=10),
        START + timedelta(seconds=11),
    )
    await tick_after(world, 8)
    assert await world.said(session, InputWithdrawn) == []
    await tick_after(world, 1)
    [withdrawn] = await world.said(session, InputWithdrawn)
    assert (withdrawn.input, withdrawn.by.kind) == (first.id, "timeout")
    [cancelled] = await world.said(session, TurnCancelled)
    assert (cancelled.reason, cancelled.by.kind) == ("expired", "timeout")
    assert (await world.claim(session)).turn == second.turn
    await tick_after(world, 100)
    assert len(await world.said(session, InputWithdrawn)) == 1
    assert await world.problems() == []


async def test_an_extended_session_outlives_its_limits_and_tells_until_when(world: World) -> None:
    policy = Policy(
        idle_timeout_seconds=10, max_lifetime_seconds=20, expires_at=START + timedelta(seconds=15)
    )
    session = await world.new_session(NewSession(policy=policy))
    assert (await world.record(session)).expires_at == START + timedelta(seconds=10)
    extended = await world.services.lifetimes.extend(world.org, session, timedelta(seconds=30), SOMEBODY)
    until = START + timedelta(seconds=30)
    assert extended.value.expires_at == until
    [updated] = await world.said(session, SessionUpdated)
    assert updated.changes == {"extended_to": until.isoformat()}
    await tick_after(world, 29)
    assert await status(world, session) is SessionStatus.OPEN
    await tick_after(world, 1)
    assert await status(world, session) is SessionStatus.EXPIRED
    with pytest.raises(WrongState, match="cannot be extended"):
        await world.services.lifetimes.extend(world.org, session, timedelta(seconds=30), SOMEBODY)
    assert await world.problems() == []


async def test_an_extension_stands_when_the_limits_are_changed(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(max_lifetime_seconds=20)))
    extended = await world.services.lifetimes.extend(world.org, session, timedelta(seconds=50), SOMEBODY)
    change = SessionChange(policy=Policy(max_lifetime_seconds=30))
    await world.services.sessions.update(world.org, session, change, SOMEBODY)
    assert (await world.record(session)).expires_at == extended.value.expires_at
    updated = (await world.said(session, SessionUpdated))[-1].changes["policy"]
    assert isinstance(updated, dict)
    assert updated["max_lifetime_seconds"] == 30
    assert "extended_to" not in updated
    await tick_after(world, 49)
    assert await status(world, session) is SessionStatus.OPEN


async def test_an_extension_never_brings_an_end_nearer_and_needs_a_time_to_come(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(max_lifetime_seconds=20)))
    lifetimes = world.services.lifetimes
    shorter = await lifetimes.extend(world.org, session, timedelta(seconds=5), SOMEBODY)
    assert shorter.value.expires_at == START + timedelta(seconds=20)
    with pytest.raises(InvalidRequest):
        await lifetimes.extend(world.org, session, START, SOMEBODY)


async def test_what_policy_ended_for_good_takes_no_message_and_cannot_be_reopened(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(reopen="never")))
    await world.services.sessions.end(world.org, session, "completed", None, SOMEBODY)
    with pytest.raises(WrongState, match="for good"):
        await world.send(session)
    with pytest.raises(WrongState, match="for good"):
        await world.services.lifetimes.reopen(world.org, session, SOMEBODY)
    assert await status(world, session) is SessionStatus.COMPLETED
    assert await world.problems() == []


async def test_a_session_is_reopened_within_its_time_and_its_limits_count_anew(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(reopen=60.0, max_lifetime_seconds=100)))
    await tick_after(world, 50)
    await world.services.sessions.end(world.org, session, "failed", "why", SOMEBODY)
    world.clock.advance(60)
    reopened = (await world.services.lifetimes.reopen(world.org, session, SOMEBODY)).value
    assert (reopened.session.status, reopened.session.end_reason) == (SessionStatus.OPEN, None)
    assert reopened.expires_at == START + timedelta(seconds=50 + 60 + 100)
    assert len(await world.said(session, SessionReopened)) == 1
    with pytest.raises(WrongState, match="open"):
        await world.services.lifetimes.reopen(world.org, session, SOMEBODY)
    await world.services.sessions.end(world.org, session, "failed", "why", SOMEBODY)
    world.clock.advance(60.001)
    with pytest.raises(WrongState, match="for good"):
        await world.send(session)


async def test_an_ended_session_is_deleted_after_its_time_and_leaves_a_tombstone(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(retain_seconds=60)))
    await world.services.sessions.end(world.org, session, "completed", None, SOMEBODY)
    await tick_after(world, 59)
    await world.send(session)
    await tick_after(world, 600)
    assert await status(world, session) is SessionStatus.OPEN
    last = (await world.services.sessions.end(world.org, session, "completed", None, SOMEBODY)).value
    await tick_after(world, 60)
    with pytest.raises(NotFound):
        await world.record(session)
    tombstone = await world.store.reads.get_tombstone(world.org, session)
    assert tombstone is not None
    assert (tombstone.last_seq, tombstone.by) == (last.session.next_seq - 1, None)
    await world.services.upkeep.purge()
    assert await world.log(session) == []
    assert await world.problems() == []


async def test_more_deadlines_than_one_batch_are_kept_by_one_tick(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.service.upkeep.BATCH", 3)
    policy = Policy(idle_timeout_seconds=10)
    sessions = [await world.new_session(NewSession(policy=policy)) for _ in range(10)]
    await tick_after(world, 10)
    assert {await status(world, session) for session in sessions} == {SessionStatus.EXPIRED}


async def cut(world: World) -> SessionId:
    """An ended session with a turn, a file and large data, whose log was cut."""
    session = await world.new_session(NewSession(policy=Policy(retain_log_seconds=60)))
    await world.services.files.write(world.org, session, "notes.txt", b"notes")
    await world.send(session, "x" * 100_000)
    turn = await world.claim(session)
    left = (await world.conversation(session)).progress.unfinished()
    await world.services.turns.settle(turn, left.closing("cancelled", ""))
    await world.services.sessions.end(world.org, session, "completed", "done", SOMEBODY)
    await tick_after(world, 59)
    assert (await world.record(session)).first_seq == 1
    await tick_after(world, 1)
    return session


async def test_the_log_of_an_ended_session_is_cut_and_its_record_stays(world: World) -> None:
    session = await cut(world)
    [trimmed] = await world.log(session)
    record = await world.record(session)
    assert (trimmed.type, trimmed.seq) == ("session.trimmed", record.first_seq)
    assert record.first_seq == record.session.next_seq - 1
    assert (record.session.status, record.session.end_reason) == (SessionStatus.COMPLETED, "done")
    await world.services.upkeep.purge()
    for table in ("events", "inputs", "files", "blobs", "blob_uses", "trims"):
        expected = 1 if table == "events" else 0
        assert len(world.database.query(f"SELECT 1 FROM {table}")) == expected, table
    assert len(await world.services.turns.list(world.org, session, None, 10)) == 1
    with pytest.raises(WrongState, match="for good"):
        await world.send(session)
    await tick_after(world, 1000)
    assert len(await world.log(session)) == 1


async def test_a_reader_of_a_cut_log_is_told_of_the_gap_before_anything_is_purged(world: World) -> None:
    session = await cut(world)
    record = await world.record(session)
    async with aclosing(await world.services.feed.follow(world.org, session, 2)) as items:
        gap, event, _ = [await anext(items) for _ in range(3)]
    assert gap == Gap(record.first_seq)
    assert isinstance(event, StoredEvent)
    assert event.seq == record.first_seq
    page = await world.services.feed.page(world.org, session, 0, 100, ["input.received", "session.trimmed"])
    assert [event.type for event in page] == ["session.trimmed"]


async def test_a_reader_whose_log_is_cut_before_its_next_page_is_told_of_the_gap(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sojourn.service.feed.REPLAY_PAGE", 2)
    session = await world.new_session(NewSession(policy=Policy(retain_log_seconds=60)))
    await world.send(session)
    await world.services.sessions.end(world.org, session, "completed", "done", SOMEBODY)
    async with aclosing(await world.services.feed.follow(world.org, session, 0)) as items:
        read = [await anext(items) for _ in range(2)]
        await tick_after(world, 60)
        first_seq = (await world.record(session)).first_seq
        gap, event = [await anext(items) for _ in range(2)]
    assert [event.seq for event in read if isinstance(event, StoredEvent)] == [1, 2]
    assert gap == Gap(first_seq)
    assert isinstance(event, StoredEvent)
    assert (event.type, event.seq) == ("session.trimmed", first_seq)


async def test_a_fork_of_a_cut_log_begins_where_that_begins(world: World) -> None:
    session = await cut(world)
    record = await world.record(session)
    child = (await world.services.forks.fork(world.org, session, NewFork(), SOMEBODY)).value
    assert (child.first_seq, child.forked_seq) == (record.first_seq, record.first_seq)
    assert await world.types(child.session.id) == ["session.trimmed", "session.forked"]
    with pytest.raises(InvalidRequest, match="must be a seq of the log"):
        await world.services.forks.fork(world.org, session, NewFork(at=1), SOMEBODY)


async def test_a_fork_whose_parent_s_log_is_cut_meanwhile_is_made_by_its_repetition(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await world.new_session(NewSession(policy=Policy(retain_log_seconds=60)))
    await world.send(session)
    await world.services.sessions.end(world.org, session, "completed", "done", SOMEBODY)

    async def read_and_cut(reads: Reads, event: StoredEvent) -> LogEntry:
        if (await world.record(session)).first_seq == 1:
            await tick_after(world, 60)
        return await read_entry(reads, event)

    # The first of the fork's pieces is read before the cut, and the others after it.
    monkeypatch.setattr("sojourn.service.forks.PIECE", 2)
    monkeypatch.setattr("sojourn.service.paging.read_entry", read_and_cut)
    with pytest.raises(StoreUnavailable):
        await world.services.forks.fork(world.org, session, NewFork(), SOMEBODY)
    child = (await world.services.forks.fork(world.org, session, NewFork(), SOMEBODY)).value
    assert await world.types(child.session.id) == ["session.trimmed", "session.forked"]


async def test_a_long_log_is_purged_in_pieces(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sojourn.service.upkeep.BATCH", 2)
    session = await cut(world)
    await world.services.upkeep.purge()
    assert len(world.database.query("SELECT 1 FROM events")) == 1
    assert len(await world.log(session)) == 1


async def test_a_cut_session_that_is_opened_again_all_the_same_remembers_nothing(world: World) -> None:
    session = await cut(world)
    change = SessionChange(policy=Policy())
    await world.services.sessions.update(world.org, session, change, SOMEBODY)
    await world.send(session, "again")
    turn = await world.claim(session)
    left = (await world.conversation(session)).progress.unfinished()
    await world.services.upkeep.purge()
    await world.services.turns.settle(turn, left.closing("cancelled", ""))
    record = (await world.record(session)).session
    assert (record.status, record.activity, record.turns) == (SessionStatus.OPEN, Activity.IDLE, 2)
    [input] = await world.services.inputs.list(world.org, session, None, 0, 10)
    assert input.content == (TextPart("again"),)
    entries = await world.services.turns.entries_after(turn, 0)
    assert [entry.type for entry in entries][:2] == ["session.trimmed", "session.updated"]


async def test_an_export_of_a_cut_log_says_where_it_begins_and_is_not_imported(world: World) -> None:
    session = await cut(world)
    lines = await export(world, session)
    verifier, _ = read(lines)
    assert verifier.header is not None
    assert verifier.header.first_seq == (await world.record(session)).first_seq
    with pytest.raises(BrokenExport, match="begins after the first event"):
        await world.services.imports.check(BytesIO(b"".join(lines)))
