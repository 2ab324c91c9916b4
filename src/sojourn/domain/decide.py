"""The one place where a session's next state is decided: State and Command in, Decision out, no I/O.

Commands that would break the table of `turn.py`, a revision or an ended session raise a Conflict and change nothing.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sojourn.domain import budgeting
from sojourn.domain import commands as c
from sojourn.domain import events as e
from sojourn.domain.delivery import EFFECTS, Effect, standing
from sojourn.domain.draft import Decision, Draft, State
from sojourn.domain.errors import RevisionMismatch, WrongState
from sojourn.domain.input import PRIORITY, Input
from sojourn.domain.session import Session, SessionStatus
from sojourn.domain.turn import HELD, Move, next_status
from sojourn.domain.waits import decide_ask, decide_asks, dismiss_asks, progressed, wait_turn

# Claims in a row that brought neither a model's answer nor a tool's result before the turn is given up.
MAX_STALLED: Final = 3
# Passing faults in a row before the turn is given up.
MAX_FAULTS: Final = 5

# What is done to a session without anybody working with it.
_NO_ACTIVITY: Final = c.UpdateSession | c.BudgetCommand | c.EndSession | c.ExpireSession

POLICY: Final = e.Actor("policy")
TIMEOUT: Final = e.Actor("timeout")


def decide(state: State, command: c.Command, now: datetime) -> Decision:
    draft = Draft(state, now)
    _DECIDERS[type(command)](draft, command)
    return draft.done(is_activity=not isinstance(command, _NO_ACTIVITY))


def _receive_input(draft: Draft, command: c.ReceiveInput) -> None:
    if draft.session.archived_at is not None:
        raise WrongState("session", "archived", "receive an input")
    if draft.session.status is not SessionStatus.OPEN:
        _reopen(draft, command.by)
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


def _reopen(draft: Draft, by: e.Actor) -> None:
    draft.say(e.SessionReopened(by=by))
    draft.session = replace(
        draft.session,
        status=SessionStatus.OPEN,
        ended_at=None,
        end_reason=None,
        ended_activity=None,
        opened_at=draft.now,
    )


def _edit_input(draft: Draft, command: c.EditInput) -> None:
    _require_undelivered(command.input, "be edited")
    _require_revision(command.input.revision, command.expected_revision)
    edited = replace(command.input, content=command.content, revision=command.input.revision + 1)
    draft.put_input(edited)
    draft.say(e.InputEdited(input=edited.id, revision=edited.revision, content=edited.content, by=command.by))


def _withdraw_input(draft: Draft, command: c.WithdrawInput) -> None:
    _require_undelivered(command.input, "be withdrawn")
    _require_revision(command.input.revision, command.expected_revision)
    if draft.turn is not None and draft.turn.input == command.input.id:
        draft.stop_turn(command.by, "superseded", c.NOTHING_UNFINISHED)
        draft.queue_head()
        return
    draft.withdraw(command.input.id, command.by)
    draft.session = replace(draft.session, queued_inputs=draft.session.queued_inputs - 1)


def _claim_turn(draft: Draft, command: c.ClaimTurn) -> None:
    turn = draft.open_turn()
    status = next_status(turn.status, Move.SPAWN if command.spawns else Move.CLAIM)
    agent_version = turn.agent_version or command.agent_version
    attempt = turn.attempt + 1
    claimed = replace(
        turn,
        status=status,
        attempt=attempt,
        stalled=turn.stalled + 1,
        worker=command.worker,
        agent_version=agent_version,
        started_at=turn.started_at or draft.now,
        not_before=None,
    )
    draft.put_turn(claimed)
    draft.advance_fence()
    draft.lease = "acquire"
    draft.say(e.TurnStarted(attempt=attempt, worker=command.worker, agent_version=agent_version), turn.id)
    if attempt > 1:
        return
    draft.deliver(turn.input, turn.id, call=1)
    if not budgeting.admits_call(draft):
        return
    if command.first_call is not None:
        first = command.first_call
        draft.say(e.ModelCalled(call=1, model=first.model, message=first.message), turn.id)


def _append_events(draft: Draft, command: c.AppendEvents) -> None:
    turn = draft.open_turn()
    draft.say_for_turn(command.events)
    status = next_status(turn.status, Move.APPEND)
    has_progressed = progressed(command.events)
    if status is not turn.status or (has_progressed and (turn.stalled or turn.faults)):
        stalled, faults = (0, 0) if has_progressed else (turn.stalled, turn.faults)
        draft.put_turn(replace(turn, status=status, stalled=stalled, faults=faults))
    calls = any(isinstance(intent, e.ModelCalled) for intent in command.intents)
    if calls and not budgeting.admits_call(draft):
        return
    if command.steers_before is not None:
        for steer in command.steers:
            draft.deliver(steer.id, turn.id, call=command.steers_before)
        draft.session = replace(
            draft.session, queued_inputs=draft.session.queued_inputs - len(command.steers)
        )
    draft.say_for_turn(command.intents)


def _settle_turn(draft: Draft, command: c.SettleTurn) -> None:
    turn = draft.open_turn()
    draft.say_for_turn(command.events)
    if command.error is None:
        draft.say(e.TurnCompleted(reason=command.reason), turn.id)
        draft.close_turn(Move.COMPLETE, command.reason)
    else:
        draft.say(e.TurnFailed(reason=command.reason, error=command.error), turn.id)
        draft.close_turn(Move.FAIL, command.reason, command.error)
    draft.queue_head()


def _retry_turn(draft: Draft, command: c.RetryTurn) -> None:
    turn = draft.open_turn()
    draft.say_for_turn(command.events)
    fault = turn.faults + 1
    if fault > MAX_FAULTS:
        draft.say(e.TurnFailed(reason="error", error=command.error), turn.id)
        draft.close_turn(Move.FAIL, "error", command.error)
        draft.queue_head()
        return
    draft.say(e.TurnRetried(fault=fault, error=command.error, retry_at=command.retry_at), turn.id)
    status = next_status(turn.status, Move.RETRY)
    # The worker was alive to report the fault, so the claim does not count as one without a sign of life.
    draft.put_turn(
        replace(turn, status=status, faults=fault, stalled=0, not_before=command.retry_at, worker=None)
    )
    # The turn is nobody's until the next claim, so what is left of this one may not even fail it.
    draft.advance_fence()
    draft.lease = "release"


def _reclaim_turn(draft: Draft, command: c.ReclaimTurn) -> None:
    turn = draft.open_turn()
    if turn.status not in HELD or turn.parked:
        raise WrongState("turn", turn.status, "be reclaimed")
    draft.advance_fence()
    draft.say(e.TurnReclaimed(worker=turn.worker, cause=command.cause), turn.id)
    draft.lease = "release"
    if turn.stalled >= MAX_STALLED:
        error = f"The turn was claimed {turn.stalled} times in a row without progress."
        draft.say_for_turn(command.unfinished.closing("unknown", "worker lost"))
        draft.say(e.TurnFailed(reason="no_progress", error=error), turn.id)
        draft.close_turn(Move.FAIL, "no_progress", error)
        draft.queue_head()
        return
    # A worker that gave its turn back on purpose is no sign of a turn that kills its workers.
    stalled = max(0, turn.stalled - 1) if command.cause == "worker_stopped" else turn.stalled
    status = next_status(turn.status, Move.RECLAIM)
    draft.put_turn(replace(turn, status=status, worker=None, stalled=stalled))


def _cancel_turn(draft: Draft, command: c.CancelTurn) -> None:
    turn = draft.open_turn()
    if turn.id != command.turn:
        raise WrongState("turn", "closed", "be cancelled")
    draft.stop_turn(command.by, command.reason, command.unfinished)
    draft.queue_head()


def _end_session(draft: Draft, command: c.EndSession) -> None:
    _close_session(draft, command.by, "interrupted", command)
    draft.say(e.SessionEnded(status=command.status, by=command.by, reason=command.reason))
    draft.session = _ended(draft.session, SessionStatus(command.status), command.reason, draft.now)


def _expire_session(draft: Draft, command: c.ExpireSession) -> None:
    _close_session(draft, TIMEOUT, "expired", command)
    draft.say(e.SessionExpired(reason=command.reason, by=TIMEOUT))
    draft.session = _ended(draft.session, SessionStatus.EXPIRED, command.reason, draft.now)


def _close_session(
    draft: Draft, by: e.Actor, reason: e.Outcome, command: c.EndSession | c.ExpireSession
) -> None:
    """Ending settles the open turn first; what was queued behind it is withdrawn, and said to be."""
    if draft.session.status is not SessionStatus.OPEN:
        raise WrongState("session", draft.session.status, "be ended")
    draft.session = replace(draft.session, ended_activity=draft.session.activity)
    if draft.turn is not None:
        draft.stop_turn(by, reason, command.unfinished)
    for queued in command.queued:
        draft.withdraw(queued.id, by)
    draft.session = replace(draft.session, queued_inputs=0, presences=0)


def _fork_session(draft: Draft, command: c.ForkSession) -> None:
    """What the parent's log leaves open is closed here: its end, if it has come to one, is another session's."""
    session = draft.session
    draft.say(
        e.SessionForked(
            parent=command.parent,
            at=command.at,
            agent=session.agent,
            agent_version=session.agent_version,
            title=command.title,
            external_id=command.external_id,
            by=command.by,
        )
    )
    if draft.turn is not None:
        draft.cut_turn(command.by, "interrupted", command.unfinished)
    for waiting in command.waiting:
        draft.withdraw(waiting.id, command.by)
    draft.session = replace(draft.session, queued_inputs=0)


def _ended(session: Session, status: SessionStatus, reason: str | None, now: datetime) -> Session:
    return replace(session, status=status, ended_at=now, end_reason=reason)


def _update_session(draft: Draft, command: c.UpdateSession) -> None:
    _require_revision(draft.session.revision, command.expected_revision)
    revision = draft.session.revision + 1
    draft.say(e.SessionUpdated(revision=revision, changes=dict(command.changes), by=command.by))
    policy = draft.session.policy if command.policy is None else command.policy
    archived_at = draft.session.archived_at
    if command.archived is not None:
        archived_at = draft.now if command.archived else None
    active_at = draft.session.active_at
    if command.active_at is not None:
        # Activity of the future is somebody's wrong clock; that of before the last known says nothing new.
        active_at = max(active_at, min(command.active_at, draft.now))
    draft.session = replace(
        draft.session,
        revision=revision,
        policy=policy,
        archived_at=archived_at,
        active_at=active_at,
        stated_status=command.stated_status or draft.session.stated_status,
        overlaid=draft.session.overlaid if command.overlaid is None else command.overlaid,
    )


def _change_files(draft: Draft, command: c.ChangeFiles) -> None:
    if draft.session.archived_at is not None:
        raise WrongState("session", "archived", "have its files changed")
    if draft.session.status is not SessionStatus.OPEN:
        raise WrongState("session", draft.session.status, "have its files changed")
    for change in command.changes:
        draft.say(change)


def _attach_presence(draft: Draft, command: c.AttachPresence) -> None:
    if draft.session.status is not SessionStatus.OPEN:
        raise WrongState("session", draft.session.status, "be driven from outside")
    draft.say(e.LeaseAcquired(kind="presence", holder=command.holder))
    draft.session = replace(draft.session, presences=draft.session.presences + 1)


def _release_presence(draft: Draft, command: c.ReleasePresence) -> None:
    draft.say(e.LeaseReleased(kind="presence", holder=command.holder, by=command.by))
    draft.session = replace(draft.session, presences=draft.session.presences - 1)
    if draft.session.status is SessionStatus.OPEN:
        draft.queue_head()


def _require_undelivered(input: Input, verb: str) -> None:
    if input.status != "queued":
        raise WrongState("input", input.status, verb)


def _require_revision(actual: int, expected: int | None) -> None:
    if expected is not None and expected != actual:
        raise RevisionMismatch(expected, actual)


_DECIDERS: Final[dict[type[c.Command], Callable[[Draft, Any], None]]] = {
    c.ReceiveInput: _receive_input,
    c.EditInput: _edit_input,
    c.WithdrawInput: _withdraw_input,
    c.ClaimTurn: _claim_turn,
    c.AppendEvents: _append_events,
    c.SettleTurn: _settle_turn,
    c.RetryTurn: _retry_turn,
    c.WaitTurn: wait_turn,
    c.DecideAsk: decide_ask,
    c.DecideAsks: decide_asks,
    c.ReclaimTurn: _reclaim_turn,
    c.CancelTurn: _cancel_turn,
    c.EndSession: _end_session,
    c.ExpireSession: _expire_session,
    c.ForkSession: _fork_session,
    c.UpdateSession: _update_session,
    c.ChangeFiles: _change_files,
    c.AttachPresence: _attach_presence,
    c.ReleasePresence: _release_presence,
    c.StopAtBudget: budgeting.stop_at_budget,
    c.CreateBudget: budgeting.create_budget,
    c.ChangeBudget: budgeting.change_budget,
    c.ChargeBudget: budgeting.charge_budget,
    c.TopUpBudget: budgeting.top_up_budget,
    c.ResumeBudgets: budgeting.resume_budgets,
}
