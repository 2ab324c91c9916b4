"""What becomes of what arrives, by its kind, how it is delivered and what the session is at: one table.

A `message` is an input. A `tool_result` answers an ask about a client's tool, a `decision` any other ask; both concern
what waits now, so they are read at once. An `interrupt` asks that the work be stopped, and brings no message instead.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final, get_args

from sojourn.domain.errors import InvalidRequest, WrongState
from sojourn.domain.kinds import Delivery, InputKind
from sojourn.domain.session import Session, SessionStatus
from sojourn.domain.turn import Turn, TurnStatus


class Standing(StrEnum):
    """The activity of a session, as finely as it matters to what arrives.

    Nobody has claimed a `queued` turn yet; a `resumed` one is queued again behind a decision. A `held` or `parked` turn
    waits for asks, a `paused` one for budgets. A `driven` session has no open turn, but a presence.
    """

    IDLE = "idle"
    DRIVEN = "driven"
    QUEUED = "queued"
    RESUMED = "resumed"
    STARTING = "starting"
    BUSY = "busy"
    RETRYING = "retrying"
    HELD = "held"
    PARKED = "parked"
    PAUSED = "paused"
    ENDED = "ended"
    ARCHIVED = "archived"


class Effect(StrEnum):
    """What each of them does stands in docs/reference/states.md."""

    START = "start"
    REOPEN = "reopen"
    LINE_UP = "line up"
    FOLLOW = "follow"
    STEER = "steer"
    DISMISS = "dismiss"
    DEFER = "defer"
    REPLACE = "replace"
    DECIDE = "decide"
    STOP = "stop"
    NOTHING = "nothing"
    SAME = "same"
    REFUSED = "refused"
    IMPOSSIBLE = "impossible"


_S, _E = Standing, Effect

_MESSAGES: Final[Mapping[Standing, tuple[Effect, Effect, Effect]]] = {
    # steer, queue, interrupt
    _S.IDLE: (_E.START, _E.START, _E.START),
    _S.DRIVEN: (_E.FOLLOW, _E.FOLLOW, _E.FOLLOW),
    # There is nothing to steer yet; who goes first is a matter of the queue.
    _S.QUEUED: (_E.LINE_UP, _E.LINE_UP, _E.DEFER),
    _S.RESUMED: (_E.STEER, _E.FOLLOW, _E.REPLACE),
    _S.STARTING: (_E.STEER, _E.FOLLOW, _E.REPLACE),
    _S.BUSY: (_E.STEER, _E.FOLLOW, _E.REPLACE),
    _S.RETRYING: (_E.STEER, _E.FOLLOW, _E.REPLACE),
    # Whoever holds the turn is in the middle of something that only a decision ends.
    _S.HELD: (_E.STEER, _E.FOLLOW, _E.REPLACE),
    _S.PARKED: (_E.DISMISS, _E.FOLLOW, _E.REPLACE),
    _S.PAUSED: (_E.STEER, _E.FOLLOW, _E.REPLACE),
    _S.ENDED: (_E.REOPEN, _E.REOPEN, _E.REOPEN),
    _S.ARCHIVED: (_E.REFUSED, _E.REFUSED, _E.REFUSED),
}

_WHEN_ARCHIVED: Final[Mapping[Standing, Effect]] = {_S.ARCHIVED: _E.SAME}

# Asks are open where a turn waits for them. A held wait that was reclaimed leaves its asks behind, and they are still
# to be decided.
_ANSWERS: Final[Mapping[Standing, Effect]] = (
    dict.fromkeys(Standing, _E.REFUSED)
    | dict.fromkeys((_S.STARTING, _S.BUSY, _S.RETRYING, _S.HELD, _S.PARKED), _E.DECIDE)
    | _WHEN_ARCHIVED
)

# Nothing that only waits is stopped by an interrupt without a message; a turn's cancellation names the turn and does.
_INTERRUPTS: Final[Mapping[Standing, Effect]] = (
    dict.fromkeys(Standing, _E.NOTHING)
    | dict.fromkeys((_S.RESUMED, _S.STARTING, _S.BUSY, _S.RETRYING), _E.STOP)
    | _WHEN_ARCHIVED
)

# How each kind may be delivered.
DELIVERIES: Final[Mapping[InputKind, tuple[Delivery, ...]]] = {
    "message": ("steer", "queue", "interrupt"),
    "tool_result": ("steer",),
    "decision": ("steer",),
    "interrupt": ("interrupt",),
}


def _rows() -> Iterator[tuple[tuple[Standing, InputKind, Delivery], Effect]]:
    for at in Standing:
        messages = dict(zip(DELIVERIES["message"], _MESSAGES[at], strict=True))
        effects: Mapping[InputKind, Mapping[Delivery, Effect]] = {
            "message": messages,
            "tool_result": {"steer": _ANSWERS[at]},
            "decision": {"steer": _ANSWERS[at]},
            "interrupt": {"interrupt": _INTERRUPTS[at]},
        }
        for kind, by_delivery in effects.items():
            for delivery in get_args(Delivery):
                yield (at, kind, delivery), by_delivery.get(delivery, _E.IMPOSSIBLE)


EFFECTS: Final[Mapping[tuple[Standing, InputKind, Delivery], Effect]] = dict(_rows())

_OF_TURN: Final[Mapping[TurnStatus, Standing]] = {
    TurnStatus.QUEUED: _S.RESUMED,
    TurnStatus.STARTING: _S.STARTING,
    TurnStatus.RUNNING: _S.BUSY,
    TurnStatus.RETRYING: _S.RETRYING,
    TurnStatus.WAITING: _S.HELD,
}


def standing(session: Session, turn: Turn | None) -> Standing:
    """Of a session with that open turn."""
    if session.archived_at is not None:
        return _S.ARCHIVED
    if session.status is not SessionStatus.OPEN:
        return _S.ENDED
    if turn is None:
        return _S.DRIVEN if session.presences else _S.IDLE
    if turn.parked:
        return _S.PARKED if turn.open_asks else _S.PAUSED
    return _OF_TURN[turn.status] if turn.attempt else _S.QUEUED


def effect_on(session: Session, turn: Turn | None, kind: InputKind, delivery: Delivery) -> Effect:
    """What the table says. InvalidRequest for what is impossible anywhere, WrongState for what is refused here."""
    at = standing(session, turn)
    effect = EFFECTS[at, kind, delivery]
    if effect is _E.SAME:
        at = standing(replace(session, archived_at=None), turn)
        effect = EFFECTS[at, kind, delivery]
    if effect is _E.IMPOSSIBLE:
        ways = " or ".join(DELIVERIES[kind])
        raise InvalidRequest("delivery", f"of a {kind} can only be {ways}, and not {delivery}")
    if effect is _E.REFUSED:
        what = "receive an input" if kind == "message" else "have an ask decided"
        raise WrongState("session", _state(session, at), what)
    return effect


def _state(session: Session, at: Standing) -> str:
    return session.status.value if at is _S.ENDED else at.value
