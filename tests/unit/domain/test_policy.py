from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.draft import State, deadlines, moved_timers
from sojourn.domain.policy import (
    NO_POLICY,
    Policy,
    Timer,
    idle_deadline,
    lifetime_deadline,
    turn_deadline,
)
from sojourn.domain.session import Activity, SessionStatus
from tests.support.clock import START
from tests.unit.domain.make import a_session, a_turn

LATER = START + timedelta(hours=1)
instants = st.integers(0, 10_000).map(lambda seconds: START + timedelta(seconds=seconds))
policies = st.builds(
    Policy,
    idle_timeout_seconds=st.none() | st.floats(1, 100),
    max_lifetime_seconds=st.none() | st.floats(1, 100),
    max_turn_seconds=st.none() | st.floats(1, 100),
    expires_at=st.none() | instants,
)


def test_each_deadline_is_counted_from_its_own_start() -> None:
    policy = Policy(idle_timeout_seconds=1, max_lifetime_seconds=2, max_turn_seconds=3)
    assert idle_deadline(policy, START) == START + timedelta(seconds=1)
    assert lifetime_deadline(policy, START) == START + timedelta(seconds=2)
    assert turn_deadline(policy, START) == START + timedelta(seconds=3)
    assert turn_deadline(policy, None) is None


def test_without_a_limit_there_is_no_deadline() -> None:
    assert idle_deadline(NO_POLICY, START) is None
    assert lifetime_deadline(NO_POLICY, START) is None
    assert turn_deadline(NO_POLICY, START) is None


def test_a_lifetime_ends_at_the_earlier_of_its_two_limits() -> None:
    policy = Policy(max_lifetime_seconds=10, expires_at=LATER)
    assert lifetime_deadline(policy, START) == START + timedelta(seconds=10)
    assert lifetime_deadline(replace(policy, max_lifetime_seconds=9_999), START) == LATER


def test_an_expiry_that_had_passed_when_the_session_was_reopened_ends_nothing() -> None:
    assert lifetime_deadline(Policy(expires_at=START), LATER) is None


@given(own=policies, base=policies)
def test_a_policy_keeps_its_own_limits_and_takes_the_rest_from_its_base(own: Policy, base: Policy) -> None:
    merged = own.over(base)
    for name in ("idle_timeout_seconds", "max_lifetime_seconds", "max_turn_seconds", "expires_at"):
        mine = getattr(own, name)
        assert getattr(merged, name) == (getattr(base, name) if mine is None else mine)


def test_a_limit_of_zero_is_a_limit() -> None:
    assert Policy(idle_timeout_seconds=0).over(Policy(idle_timeout_seconds=9)).idle_timeout_seconds == 0


def test_no_limits_over_no_limits_is_the_one_object_for_none() -> None:
    assert Policy().over(Policy()) is NO_POLICY


def due(state: State) -> set[str]:
    return {kind for kind, at in deadlines(state).items() if at is not None}


def test_only_an_open_idle_session_has_an_idle_deadline() -> None:
    policy = Policy(idle_timeout_seconds=1, max_lifetime_seconds=2, max_turn_seconds=3)
    session = a_session(policy=policy)
    assert due(State(session=session)) == {"idle", "lifetime"}
    busy = replace(session, activity=Activity.BUSY)
    assert due(State(session=busy)) == {"lifetime"}
    assert due(State(session=busy, turn=a_turn(started_at=START))) == {"lifetime", "turn"}
    assert due(State(session=busy, turn=a_turn())) == {"lifetime"}
    ended = replace(session, status=SessionStatus.FAILED, ended_at=START)
    assert due(State(session=ended)) == set()


@given(before=policies, after=policies, was_idle=st.booleans(), is_idle=st.booleans(), moved=instants)
def test_moved_timers_turn_the_deadlines_of_before_into_those_of_after(
    before: Policy, after: Policy, was_idle: bool, is_idle: bool, moved: datetime
) -> None:
    first = State(session=a_session(policy=before.over(NO_POLICY), activity=doing(was_idle)))
    last = State(session=a_session(policy=after.over(NO_POLICY), activity=doing(is_idle), active_at=moved))
    timers = {timer.kind: timer.due_at for timer in moved_timers(None, first)}
    timers |= {timer.kind: timer.due_at for timer in moved_timers(first, last)}
    standing = {kind: at for kind, at in timers.items() if at is not None}
    assert standing == {kind: at for kind, at in deadlines(last).items() if at is not None}


def doing(is_idle: bool) -> Activity:
    return Activity.IDLE if is_idle else Activity.QUEUED


def test_a_session_without_a_policy_pays_for_no_timer() -> None:
    state = State(session=a_session())
    assert moved_timers(None, state) == ()
    assert moved_timers(state, state) == ()


def test_a_deadline_that_stands_is_not_written_again() -> None:
    state = State(session=a_session(policy=Policy(idle_timeout_seconds=1)))
    assert moved_timers(None, state) == (Timer("idle", START + timedelta(seconds=1)),)
    assert moved_timers(state, state) == ()
