"""Changes of a session's policy."""

from datetime import timedelta

import pytest

from sojourn.domain.agent import AgentSpec
from sojourn.domain.errors import RevisionMismatch
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


async def test_a_session_has_its_own_limits_over_its_agents_over_its_organisations(world: World) -> None:
    of_org = Policy(idle_timeout_seconds=1, max_turn_seconds=1, reopen="never")
    await world.services.orgs.update(world.org, None, of_org)
    of_agent = Policy(idle_timeout_seconds=2, max_turn_seconds=2)
    await world.services.agents.create(world.org, AgentSpec(name="limited", policy=of_agent))
    session = await world.new_session(NewSession(agent="limited", policy=Policy(idle_timeout_seconds=3)))
    merged = Policy(idle_timeout_seconds=3, max_turn_seconds=2, reopen="never")
    assert (await world.record(session)).session.policy == merged


async def test_a_session_keeps_the_policy_that_it_was_made_with(world: World) -> None:
    orgs = world.services.orgs
    await orgs.update(world.org, None, Policy(idle_timeout_seconds=10))
    former = await world.new_session()
    changed = await orgs.update(world.org, "other", Policy(idle_timeout_seconds=1000), expected_revision=1)
    assert await orgs.get(world.org) == changed
    with pytest.raises(RevisionMismatch):
        await orgs.update(world.org, "third", None, expected_revision=1)
    later = await world.new_session()
    world.clock.advance(10)
    await world.services.upkeep.tick()
    assert (await world.record(former)).session.status is SessionStatus.EXPIRED
    await world.services.lifetimes.reopen(world.org, former, SOMEBODY)
    assert (await world.record(former)).session.policy == Policy(idle_timeout_seconds=10)
    assert (await world.record(later)).session.status is SessionStatus.OPEN
