"""Invariant 6: every wait has a deadline and an owner, and the log says who decided."""

import pytest

from sojourn.domain.ask import Decision, NewAsk
from sojourn.domain.events import AskDecided, SessionExpired, TurnCancelled, TurnReclaimed
from sojourn.domain.ids import AskId, uuid7
from sojourn.domain.policy import Policy
from sojourn.domain.session import Activity, SessionStatus
from sojourn.domain.turn import TurnStatus
from sojourn.ports.turns import ClaimedTurn
from sojourn.service.claims import LeaseTerms
from sojourn.service.sessions import NewSession, SessionChange
from sojourn.store.rows import to_instant
from tests.support.clock import HandClock
from tests.support.databases import Database
from tests.support.world import SOMEBODY, World, open_world


async def tick_after(world: World, seconds: float) -> None:
    world.clock.advance(seconds)
    await world.services.upkeep.tick()


async def test_a_turn_whose_worker_falls_silent_is_taken_back(world: World) -> None:
    turn = await world.claimed()
    await world.store.write(lambda tx: tx.refresh_leases(to_instant(0)))
    await world.services.upkeep.tick()
    (reclaimed,) = await world.said(turn.session, TurnReclaimed)
    assert (reclaimed.cause, reclaimed.worker) == ("lease_expired", "worker")
    assert (await world.record(turn.session)).session.activity is Activity.RETRYING
    assert (await world.claim(turn.session, "another")).attempt == 2
    assert await world.problems() == []


async def test_an_idle_session_expires_after_its_timeout_and_not_before(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(idle_timeout_seconds=10)))
    await tick_after(world, 9)
    assert (await world.record(session)).session.status is SessionStatus.OPEN
    await world.send(session)
    turn = await world.claim(session)
    await tick_after(world, 12)
    assert (await world.record(session)).session.status is SessionStatus.OPEN
    left = (await world.conversation(session)).progress.unfinished()
    await world.services.turns.settle(turn, left.closing("cancelled", ""))
    await tick_after(world, 10)
    (expired,) = await world.said(session, SessionExpired)
    assert (expired.reason, expired.by.kind) == ("idle", "timeout")
    assert await world.problems() == []


async def test_a_lifetime_ends_a_session_whatever_it_does(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(max_lifetime_seconds=10)))
    await world.send(session)
    await world.send(session)
    turn = await world.claim(session)
    await tick_after(world, 10)
    (expired,) = await world.said(session, SessionExpired)
    (cancelled,) = await world.said(session, TurnCancelled)
    assert (expired.reason, cancelled.reason, cancelled.by.kind) == ("lifetime", "expired", "timeout")
    assert await world.services.turns.renew([turn], "worker") == [turn]
    assert await world.problems() == []


async def test_a_turn_that_takes_too_long_is_cancelled_and_the_next_begins(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(max_turn_seconds=10)))
    first = await world.send(session)
    second = await world.send(session)
    await tick_after(world, 60)
    await world.claim(session)
    await tick_after(world, 9)
    assert (await world.record(session)).session.open_turn == first.turn
    await tick_after(world, 1)
    (cancelled,) = await world.said(session, TurnCancelled)
    assert (cancelled.reason, cancelled.by.kind) == ("expired", "timeout")
    assert (await world.record(session)).session.open_turn == second.turn
    assert await world.problems() == []


async def test_a_policy_that_is_changed_moves_the_deadlines_that_stand(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(idle_timeout_seconds=10)))
    change = SessionChange(policy=Policy(idle_timeout_seconds=100))
    await world.services.sessions.update(world.org, session, change, SOMEBODY)
    await tick_after(world, 50)
    assert (await world.record(session)).session.status is SessionStatus.OPEN
    await tick_after(world, 50)
    assert (await world.record(session)).session.status is SessionStatus.EXPIRED


async def asked(world: World, mode: str, on_expire: Decision = "deny") -> tuple[ClaimedTurn, NewAsk]:
    """A turn that waits for an ask, which is due at once."""
    turn = await world.claimed()
    ask = NewAsk(id=AskId(uuid7()), kind="approval", prompt={}, timeout_seconds=0.0, on_expire=on_expire)
    await world.services.turns.wait(turn, (), (ask,), "parked" if mode == "parked" else "held")
    return turn, ask


@pytest.mark.parametrize(("mode", "status"), [("parked", "queued"), ("held", "running")])
async def test_an_ask_that_nobody_decides_is_decided_by_time(world: World, mode: str, status: str) -> None:
    turn, ask = await asked(world, mode, on_expire="deny")
    assert (await world.record(turn.session)).session.activity is Activity.WAITING
    await tick_after(world, 0)
    (decided,) = await world.said(turn.session, AskDecided)
    assert (decided.ask, decided.decision, decided.by.kind) == (ask.id, "deny", "timeout")
    assert (await world.services.turns.get(world.org, turn.session, turn.turn)).status == status
    assert await world.problems() == []


async def test_a_parked_turn_needs_no_lease_and_no_worker(world: World) -> None:
    turn, _ = await asked(world, "parked")
    assert world.database.query("SELECT 1 FROM leases") == []
    parked = await world.services.turns.get(world.org, turn.session, turn.turn)
    assert (parked.status, parked.parked) == (TurnStatus.WAITING, True)


async def test_a_held_turn_whose_worker_is_lost_is_taken_back_while_it_waits(world: World) -> None:
    turn, _ = await asked(world, "held")
    world.clock.advance(-1)
    await world.store.write(lambda tx: tx.refresh_leases(to_instant(0)))
    await world.services.upkeep.tick()
    assert (await world.claim(turn.session)).attempt == 2


async def test_what_is_due_of_a_turn_that_ended_meanwhile_is_let_be(world: World) -> None:
    turn, _ = await asked(world, "parked")
    await world.services.turns.cancel(world.org, turn.session, turn.turn, SOMEBODY)
    await tick_after(world, 100)
    assert await world.said(turn.session, AskDecided) == []
    assert await world.problems() == []


BOOT = LeaseTerms(None, "this boot")


async def test_at_a_start_the_turns_of_the_former_process_are_taken_back(
    database: Database, clock: HandClock
) -> None:
    async with open_world(database, clock, LeaseTerms(None, "former boot")) as world:
        turn = await world.claimed()
        await world.services.presences.hold(world.org, turn.session, "laptop", None)
        await tick_after(world, 3600)
        assert await world.said(turn.session, TurnReclaimed) == []
    async with open_world(database, clock, BOOT) as world:
        assert await world.services.upkeep.start() == 1
        (reclaimed,) = await world.said(turn.session, TurnReclaimed)
        assert reclaimed.cause == "server_restarted"
        assert len(await world.services.presences.list(world.org, turn.session)) == 1
        assert (await world.claim(turn.session)).attempt == 2
        assert await world.services.upkeep.start() == 0
        assert await world.problems() == []


async def test_a_parked_turn_waits_through_a_restart(database: Database, clock: HandClock) -> None:
    async with open_world(database, clock, LeaseTerms(None, "former boot")) as world:
        turn, _ = await asked(world, "parked")
    async with open_world(database, clock, BOOT) as world:
        assert await world.services.upkeep.start() == 0
        await world.services.upkeep.tick()
        assert (await world.claim(turn.session)).attempt == 2
