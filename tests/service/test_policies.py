"""Changes of a session's policy."""

from datetime import timedelta

from sojourn.domain.policy import Policy
from sojourn.domain.session import SessionStatus
from sojourn.service.sessions import NewSession, SessionChange
from tests.support.clock import START
from tests.support.world import SOMEBODY, World

AN_HOUR_ON = START + timedelta(hours=1)


async def test_new_limits_leave_a_deadline_that_they_do_not_name(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(expires_at=AN_HOUR_ON)))
    change = SessionChange(policy=Policy(max_turn_seconds=60))
    changed = await world.services.sessions.update(world.org, session, change, SOMEBODY)
    assert changed.session.policy == Policy(max_turn_seconds=60, expires_at=AN_HOUR_ON)
    world.clock.advance(3601)
    await world.services.upkeep.tick()
    assert (await world.record(session)).session.status is SessionStatus.EXPIRED


async def test_a_deadline_that_is_taken_away_is_gone(world: World) -> None:
    session = await world.new_session(NewSession(policy=Policy(expires_at=AN_HOUR_ON)))
    change = SessionChange(policy=Policy(max_turn_seconds=60), expires_at=None)
    changed = await world.services.sessions.update(world.org, session, change, SOMEBODY)
    assert changed.session.policy == Policy(max_turn_seconds=60)
    world.clock.advance(3601)
    await world.services.upkeep.tick()
    assert (await world.record(session)).session.status is SessionStatus.OPEN
