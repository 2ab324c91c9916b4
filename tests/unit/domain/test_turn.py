import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn.domain.errors import WrongState
from sojourn.domain.session import Activity, SessionStatus, activity
from sojourn.domain.turn import CLAIMABLE, CLOSED, HELD, TRANSITIONS, Move, TurnStatus, next_status

EVERY_PAIR = [(status, move) for status in TurnStatus for move in Move]


@pytest.mark.parametrize(("status", "move"), EVERY_PAIR)
def test_every_move_of_every_status_is_in_the_table_or_refused(status: TurnStatus, move: Move) -> None:
    if (status, move) in TRANSITIONS:
        assert next_status(status, move) is TRANSITIONS[status, move]
        return
    with pytest.raises(WrongState) as refused:
        next_status(status, move)
    assert (refused.value.subject, refused.value.state, refused.value.command) == ("turn", status, move)


# Status, move and next status of every arrow.
DRAWN = """
    queued    claim    running    queued    spawn    starting   queued    cancel   cancelled
    starting  append   running    starting  reclaim  retrying   starting  retry    retrying
    starting  fail     failed     starting  cancel   cancelled  starting  park     waiting
    starting  complete completed
    running   append   running    running   hold     waiting    running   park     waiting
    running   reclaim  retrying   running   retry    retrying   running   complete completed
    running   fail     failed     running   cancel   cancelled
    waiting   append   waiting    waiting   resume   running    waiting   requeue  queued
    waiting   hold     waiting    waiting   park     waiting    waiting   complete completed
    waiting   reclaim  retrying   waiting   fail     failed     waiting   cancel   cancelled
    retrying  claim    running    retrying  spawn    starting   retrying  fail     failed
    retrying  cancel   cancelled
"""


def test_the_table_has_the_arrows_that_are_drawn_and_no_others() -> None:
    words = DRAWN.split()
    arrows = {
        (TurnStatus(status), Move(move)): TurnStatus(to)
        for status, move, to in zip(words[::3], words[1::3], words[2::3], strict=True)
    }
    assert dict(TRANSITIONS) == arrows


def test_nothing_leaves_a_closed_status_and_every_status_can_be_reached() -> None:
    assert not {status for status, _ in TRANSITIONS} & CLOSED
    assert {*TRANSITIONS.values(), TurnStatus.QUEUED} == set(TurnStatus)


def test_every_open_turn_can_be_cancelled() -> None:
    assert {status for status, move in TRANSITIONS if move is Move.CANCEL} == set(TurnStatus) - CLOSED


def test_claims_start_from_claimable_statuses_and_reclaims_from_held_ones() -> None:
    assert {status for status, move in TRANSITIONS if move in (Move.CLAIM, Move.SPAWN)} == CLAIMABLE
    assert {status for status, move in TRANSITIONS if move is Move.RECLAIM} == HELD


statuses = st.sampled_from(SessionStatus)
open_turns = st.sampled_from([None, *(status for status in TurnStatus if status.is_open)])
counts = st.integers(0, 3)


@given(status=statuses, turn=open_turns, queued=counts, presences=counts)
def test_activity_has_a_word_for_every_state(
    status: SessionStatus, turn: TurnStatus | None, queued: int, presences: int
) -> None:
    doing = activity(status, turn, queued, presences)
    is_idle = status is not SessionStatus.OPEN or (turn is None and not queued and not presences)
    assert (doing is Activity.IDLE) == is_idle
    if status is SessionStatus.OPEN and turn is not None:
        # What the open turn does is what the session does, whatever waits behind it or drives it besides.
        assert doing is activity(status, turn, 0, 0)


@pytest.mark.parametrize(
    ("turn", "queued", "presences", "doing"),
    [
        (None, 0, 0, "idle"),
        (None, 2, 0, "queued"),
        (None, 0, 1, "busy"),
        (None, 2, 1, "busy"),
        (TurnStatus.QUEUED, 0, 0, "queued"),
        (TurnStatus.STARTING, 0, 0, "starting"),
        (TurnStatus.RUNNING, 1, 1, "busy"),
        (TurnStatus.WAITING, 0, 0, "waiting"),
        (TurnStatus.RETRYING, 0, 0, "retrying"),
    ],
)
def test_an_open_session_does_what_its_turn_does(
    turn: TurnStatus | None, queued: int, presences: int, doing: str
) -> None:
    assert activity(SessionStatus.OPEN, turn, queued, presences) == doing
