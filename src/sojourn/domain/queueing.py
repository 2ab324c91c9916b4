"""What becomes of inputs: the deciders of their receipt, change and withdrawal."""

from dataclasses import replace

from sojourn.domain import commands as c
from sojourn.domain import events as e
from sojourn.domain.delivery import EFFECTS, Effect, standing
from sojourn.domain.draft import Draft
from sojourn.domain.errors import RevisionMismatch, WrongState
from sojourn.domain.input import PRIORITY, Input
from sojourn.domain.lifetime import reopen
from sojourn.domain.policy import after
from sojourn.domain.session import SessionStatus
from sojourn.domain.waits import dismiss_asks


def receive_input(draft: Draft, command: c.ReceiveInput) -> None:
    if draft.session.archived_at is not None:
        raise WrongState("session", "archived", "receive an input")
    if draft.session.status is not SessionStatus.OPEN:
        reopen(draft, command.by)
    draft.say(
        e.InputReceived(
            input=command.input,
            turn=command.turn,
            kind=command.kind,
            delivery=command.delivery,
            content=command.content,
            by=command.by,
            facets=dict(command.facets),
        )
    )
    received = Input(
        id=command.input,
        turn=command.turn,
        kind=command.kind,
        delivery=command.delivery,
        content=command.content,
        status="queued",
        position=draft.next_seq - 1,
        priority=PRIORITY[command.delivery],
        received_at=draft.now,
        expires_at=after(draft.now, draft.session.policy.max_queued_seconds),
    )
    draft.put_input(received)
    match EFFECTS[command.delivery, standing(draft.turn, draft.session.presences)]:
        case Effect.REPLACE:
            draft.stop_turn(command.by, "interrupted", command.unfinished)
        case Effect.DISMISS:
            dismiss_asks(draft, command.asks, command.by)
        case Effect.START | Effect.FOLLOW | Effect.STEER:
            pass
    if draft.turn is None and not draft.session.presences:
        draft.queue_turn(received)
    else:
        draft.session = replace(draft.session, queued_inputs=draft.session.queued_inputs + 1)


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
