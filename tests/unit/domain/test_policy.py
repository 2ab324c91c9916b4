from dataclasses import fields, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.draft import State, deadlines, moved_timers
from sojourn.domain.policy import (
    DEFAULT_START_SECONDS,
    NO_POLICY,
    Policy,
    Reopen,
    Timer,
    idle_deadline,
    lifetime_deadline,
    may_reopen,
    turn_deadline,
)
from sojourn.domain.session import (
    Activity,
    SessionStatus,
    expiry,
    idle_deadline_of,
    lifetime_deadline_of,
)
from sojourn.domain.turn import TurnStatus
from tests.support.clock import START
from tests.unit.domain.make import a_session, a_turn

LATER = START + timedelta(hours=1)
instants = st.integers(0, 10_000).map(lambda seconds: START + timedelta(seconds=seconds))
policies = st.builds(
    Policy,
    idle_timeout_seconds=st.none() | st.floats(1, 100),
    max_lifetime_seconds=st.none() | st.floats(1, 100),
    max_turn_seconds=st.none() | st.floats(1, 100),
    max_start_seconds=st.none() | st.floats(1, 100),
    max_queued_seconds=st.none() | st.floats(1, 100),
    reopen=st.none() | st.sampled_from(["always", "never"]) | st.floats(1, 100),
    retain_log_seconds=st.none() | st.floats(1, 100),
    retain_seconds=st.none() | st.floats(1, 100),
    extended_to=st.none() | instants,
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
    for name in (field.name for field in fields(Policy)):
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
    kept = replace(ended, policy=replace(policy, retain_seconds=9))
    assert deadlines(State(session=kept))["retain"] == START + timedelta(seconds=9)


@pytest.mark.parametrize("policy", [NO_POLICY, Policy(max_start_seconds=7)])
def test_a_turn_that_starts_has_a_deadline_counted_from_its_newest_claim(policy: Policy) -> None:
    seconds = policy.max_start_seconds or DEFAULT_START_SECONDS
    starting = a_turn(status=TurnStatus.STARTING, started_at=START, claimed_at=LATER)
    session = a_session(policy=policy, activity=Activity.STARTING, open_turn=starting.id)
    state = State(session=session, turn=starting)
    assert deadlines(state)["start"] == LATER + timedelta(seconds=seconds)
    running = State(session=session, turn=replace(starting, status=TurnStatus.RUNNING))
    assert moved_timers(state, running) == (Timer("start", None),)


@pytest.mark.parametrize("status", [status for status in TurnStatus if status.is_open])
def test_a_turn_has_its_deadline_whatever_it_does(status: TurnStatus) -> None:
    turn = a_turn(status=status, started_at=START)
    session = a_session(policy=Policy(max_turn_seconds=3), activity=Activity.BUSY, open_turn=turn.id)
    assert deadlines(State(session=session, turn=turn))["turn"] == START + timedelta(seconds=3)


@given(policy=policies, moved=instants)
def test_the_expiry_shown_is_the_earliest_deadline_that_ends_the_session(
    policy: Policy, moved: datetime
) -> None:
    session = a_session(policy=policy.over(NO_POLICY), active_at=moved)
    due_at = deadlines(State(session=session))
    ends = {kind: at for kind in ("idle", "lifetime") if (at := due_at[kind]) is not None}
    shown = expiry(session)
    assert (None if shown is None else shown.at) == min(ends.values(), default=None)
    assert shown is None or ends[shown.by] == shown.at


@given(policy=policies, until=instants)
def test_an_extended_session_ends_no_sooner_than_it_was_extended_to(policy: Policy, until: datetime) -> None:
    before, after = a_session(policy=policy), a_session(policy=replace(policy, extended_to=until))
    for deadline in (idle_deadline_of, lifetime_deadline_of):
        due_at = deadline(replace(before, policy=replace(policy, extended_to=None)))
        assert deadline(after) == (None if due_at is None else max(due_at, until))


@pytest.mark.parametrize(
    ("reopen", "at_once", "later"),
    [
        (None, True, True),
        ("always", True, True),
        ("never", False, False),
        (3600.0, True, True),
        (3599.0, True, False),
    ],
)
def test_an_ended_session_may_be_reopened_as_its_policy_says(
    reopen: Reopen | None, at_once: bool, later: bool
) -> None:
    policy = Policy(reopen=reopen)
    assert may_reopen(policy, START, START) == at_once
    assert may_reopen(policy, START, LATER) == later


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
