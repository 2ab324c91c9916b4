"""A client's own word for a session's state, and what else one change can say in one transaction."""

from datetime import timedelta

import pytest

from sojourn.domain.errors import RevisionMismatch
from sojourn.domain.events import SessionEnded, SessionUpdated
from sojourn.domain.ids import SessionId
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.session import Activity, SessionStatus
from sojourn.service.sessions import EndStatus, NewSession, SessionChange
from tests.support.world import SOMEBODY, World

FACET = ("vendor", '{"a":1}')


async def change(
    world: World, session: SessionId, change: SessionChange, expected: int | None = None
) -> None:
    await world.services.sessions.update(world.org, session, change, SOMEBODY, expected)


async def stated(world: World, session: SessionId) -> str | None:
    return (await world.record(session)).session.stated_status


async def test_a_stated_status_stands_until_the_state_changes(world: World) -> None:
    session = await world.new_session(NewSession(stated_status="NEW"))
    assert await stated(world, session) == "NEW"
    await change(world, session, SessionChange(title="a title"))
    assert await stated(world, session) == "NEW"
    await change(world, session, SessionChange(stated_status="REVIEWED"))
    assert await stated(world, session) == "REVIEWED"
    await world.send(session)
    assert await stated(world, session) is None
    assert await world.problems() == []


async def test_events_that_leave_the_state_alone_leave_the_stated_status(world: World) -> None:
    turn = await world.claimed()
    await change(world, turn.session, SessionChange(stated_status="THINKING"))
    await world.services.turns.append(turn, [])
    await world.send(turn.session, "more", "steer")
    assert await stated(world, turn.session) == "THINKING"
    await world.services.turns.settle(turn, [])
    assert await stated(world, turn.session) is None


async def test_a_presence_that_comes_and_goes_is_a_change_of_state(world: World) -> None:
    session = await world.new_session(NewSession(stated_status="NEW"))
    await world.services.presences.hold(world.org, session, "laptop", None)
    await world.services.presences.release(world.org, session, "laptop", SOMEBODY)
    record = await world.record(session)
    assert record.session.activity is Activity.IDLE
    assert record.session.stated_status is None


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled", "expired"])
async def test_one_change_describes_a_session_and_ends_it(world: World, status: EndStatus) -> None:
    session = await world.new_session()
    await world.send(session)
    await change(world, session, SessionChange(end=status, facet=FACET, stated_status="OVER"))
    record = await world.services.sessions.get(world.org, session, "vendor")
    assert record.session.status is SessionStatus(status)
    assert record.session.revision == 1
    assert record.facet == FACET[1]
    assert record.session.stated_status is None
    (ended,) = await world.said(session, SessionEnded)
    assert (ended.status, ended.by) == (status, SOMEBODY)
    assert await world.problems() == []


async def test_a_change_that_would_end_an_ended_session_only_describes_it(world: World) -> None:
    session = await world.new_session()
    for status in ("failed", "completed"):
        await change(world, session, SessionChange(end=status, stated_status=status))
    record = await world.record(session)
    assert (record.session.status, record.session.stated_status) == (SessionStatus.FAILED, "completed")
    assert len(await world.said(session, SessionEnded)) == 1


async def test_a_stale_change_changes_nothing_and_ends_nothing(world: World) -> None:
    session = await world.new_session(NewSession(stated_status="NEW", facet=("vendor", "{}")))
    await change(world, session, SessionChange(title="one"), expected=0)
    before = await world.services.sessions.get(world.org, session, "vendor")
    with pytest.raises(RevisionMismatch):
        await change(world, session, SessionChange(end="failed", facet=FACET, stated_status="X"), expected=0)
    assert await world.services.sessions.get(world.org, session, "vendor") == before


async def test_the_log_says_what_a_change_changed(world: World) -> None:
    session = await world.new_session()
    now = world.clock.now()
    said = SessionChange(facet=FACET, stated_status="X", expires_at=now, active_at=now)
    await change(world, session, said)
    await change(world, session, SessionChange(expires_at=None))
    first, second = await world.said(session, SessionUpdated)
    stamp = now.isoformat()
    assert first.changes == {
        "expires_at": stamp,
        "facet": {"vendor": {"a": 1}},
        "active_at": stamp,
        "stated_status": "X",
    }
    assert second.changes == {"expires_at": None}


async def test_an_expiry_is_set_moved_and_taken_away_beside_the_rest_of_the_policy(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(max_turn_seconds=60)))
    soon = world.clock.now() + timedelta(seconds=10)
    await change(world, session, SessionChange(expires_at=soon))
    record = await world.record(session)
    assert record.expires_at == soon
    assert record.session.policy == Policy(max_turn_seconds=60, expires_at=soon)
    await change(world, session, SessionChange(expires_at=None))
    world.clock.advance(11)
    await world.services.upkeep.tick()
    record = await world.record(session)
    assert (record.expires_at, record.session.status) == (None, SessionStatus.OPEN)
    await change(world, session, SessionChange(expires_at=world.clock.now() + timedelta(seconds=5)))
    world.clock.advance(6)
    await world.services.upkeep.tick()
    assert (await world.record(session)).session.status is SessionStatus.EXPIRED


async def test_a_policy_of_nothing_but_an_expiry_goes_with_it(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(expires_at=world.clock.now() + timedelta(1))))
    await change(world, session, SessionChange(expires_at=None))
    assert (await world.record(session)).session.policy == NO_POLICY


async def test_activity_that_a_client_reports_puts_off_the_idle_deadline_and_not_beyond_now(
    world: World,
) -> None:
    session = await world.new_session(NewSession(policy=Policy(idle_timeout_seconds=60)))
    start = world.clock.now()
    world.clock.advance(50)
    reported = {start + timedelta(seconds=30): 90, start: 90, start + timedelta(days=1): 110}
    for active_at, due_after in reported.items():
        await change(world, session, SessionChange(active_at=active_at))
        assert (await world.record(session)).expires_at == start + timedelta(seconds=due_after)
