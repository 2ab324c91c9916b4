"""What becomes of inputs: the deciders of their receipt, change and withdrawal."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from sojourn.domain import commands as c
from sojourn.domain import events as e
from sojourn.domain.actor import Actor
from sojourn.domain.delivery import Effect, effect_on
from sojourn.domain.draft import Draft
from sojourn.domain.errors import InvalidRequest, RevisionMismatch, WrongState
from sojourn.domain.input import Input
from sojourn.domain.kinds import InputKind
from sojourn.domain.lifetime import reopen
from sojourn.domain.policy import after
from sojourn.domain.queue import input_of, moved
from sojourn.domain.waits import dismiss_asks

# What is no message reaches a session by other ways.
_SENT: Final[Mapping[InputKind, str]] = {
    "tool_result": "it decides an ask",
    "decision": "it decides an ask",
    "interrupt": "it interrupts the session, or cancels its turn",
}


def receive_input(draft: Draft, command: c.ReceiveInput) -> None:
    effect = effect_on(draft.session, draft.turn, command.kind, command.delivery)
    if command.kind != "message":
        raise InvalidRequest("kind", f"a {command.kind} is no input of its own: {_SENT[command.kind]}")
    if effect is Effect.REOPEN:
        reopen(draft, command.by)
    said = e.InputReceived(
        input=command.input,
        turn=command.turn,
        kind=command.kind,
        delivery=command.delivery,
        content=command.content,
        by=command.by,
        facets=dict(command.facets),
        payload=command.payload,
        model=command.model,
    )
    draft.say(said)
    received = input_of(said, draft.next_seq - 1, draft.now)
    received = replace(received, expires_at=after(draft.now, draft.session.policy.max_queued_seconds))
    match effect:
        case Effect.REPLACE:
            draft.stop_turn(command.by, "interrupted", command.unfinished)
            received = _put_first(draft, received, draft.head, command.by)
        case Effect.DEFER:
            received = _put_first(draft, received, command.opened, command.by)
        case Effect.DISMISS:
            dismiss_asks(draft, command.asks, command.by)
        case _:
            pass
    draft.put_input(received)
    draft.session = replace(draft.session, queued_inputs=draft.session.queued_inputs + 1)
    opened = None if command.opened is None else _shifted(draft, command.opened)
    _begin_first(draft, opened, [received], command.by)


def _put_first(draft: Draft, received: Input, first: Input | None, by: Actor) -> Input:
    """Of several that interrupt, the last one is what is wanted now."""
    if first is None or first.priority > received.priority:
        return received
    received, draft.shift = moved(received, first, None)
    received = replace(received, revision=received.revision + 1)
    draft.say(e.InputMoved(input=received.id, revision=received.revision, before=first.id, by=by))
    return received


def move_input(draft: Draft, command: c.MoveInput) -> None:
    _require_undelivered(command.input, "be moved")
    require_revision(command.input.revision, command.expected_revision)
    if command.before is not None:
        _require_undelivered(command.before, "have another put before it")
        if command.before.id == command.input.id:
            raise InvalidRequest("before", "is the input itself")
    at, draft.shift = moved(command.input, command.before, command.last)
    at = replace(at, revision=at.revision + 1)
    draft.put_input(at)
    before = None if command.before is None else command.before.id
    draft.say(e.InputMoved(input=at.id, revision=at.revision, before=before, by=command.by))
    opened = command.opened
    if opened is None:
        return
    others = [at] if draft.head is None or draft.head.id == at.id else [at, _shifted(draft, draft.head)]
    opened = at if opened.id == at.id else _shifted(draft, opened)
    _begin_first(draft, opened, [one for one in others if one.id != opened.id], command.by)


def _shifted(draft: Draft, input: Input) -> Input:
    return input if draft.shift is None else draft.shift.over(input)


def _begin_first(draft: Draft, opened: Input | None, queued: Sequence[Input], by: Actor) -> None:
    """See that the turn which nobody has claimed yet is that of the first in the queue.

    `opened` is its input if there is one, `queued` are those of the queue that may go before it.
    """
    first = min(queued, key=lambda one: one.place, default=None)
    if first is None:
        return
    if opened is not None and opened.place > first.place:
        draft.defer_turn(by)
    if draft.turn is None and not draft.session.presences:
        draft.queue_turn(first)
        draft.session = replace(draft.session, queued_inputs=draft.session.queued_inputs - 1)


def edit_input(draft: Draft, command: c.EditInput) -> None:
    _require_undelivered(command.input, "be edited")
    require_revision(command.input.revision, command.expected_revision)
    edited = replace(command.input, content=command.content, revision=command.input.revision + 1)
    draft.put_input(edited)
    draft.say(e.InputEdited(input=edited.id, revision=edited.revision, content=edited.content, by=command.by))


def withdraw_input(draft: Draft, command: c.WithdrawInput) -> None:
    _require_undelivered(command.input, "be withdrawn")
    require_revision(command.input.revision, command.expected_revision)
    if draft.turn is not None and draft.turn.input == command.input.id:
        reason = "expired" if command.by.kind == "timeout" else "superseded"
        draft.stop_turn(command.by, reason, c.NOTHING_UNFINISHED)
        draft.queue_head()
        return
    draft.withdraw(command.input.id, command.by)
    draft.session = replace(draft.session, queued_inputs=draft.session.queued_inputs - 1)


def _require_undelivered(input: Input, verb: str) -> None:
    if input.status != "queued":
        raise WrongState("input", input.status, verb)


def require_revision(actual: int, expected: int | None) -> None:
    if expected is not None and expected != actual:
        raise RevisionMismatch(expected, actual)
