"""What becomes of the open turn: the deciders of the worker's commands, and of whoever takes the turn away."""

from dataclasses import replace
from typing import Final

from sojourn.domain import budgeting
from sojourn.domain import commands as c
from sojourn.domain import events as e
from sojourn.domain.draft import Draft
from sojourn.domain.errors import WrongState
from sojourn.domain.turn import HELD, Move, next_status
from sojourn.domain.waits import progressed

# Claims in a row that brought neither a model's answer nor a tool's result before the turn is given up.
MAX_STALLED: Final = 3

# Passing faults in a row before the turn is given up.
MAX_FAULTS: Final = 5


def claim_turn(draft: Draft, command: c.ClaimTurn) -> None:
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
        claimed_at=draft.now,
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


def append_events(draft: Draft, command: c.AppendEvents) -> None:
    turn = draft.open_turn()
    draft.say_for_turn(command.events)
    status = next_status(turn.status, Move.APPEND)
    has_progressed = progressed(command.events)
    if status is not turn.status or (has_progressed and (turn.stalled or turn.faults)):
        stalled, faults = (0, 0) if has_progressed else (turn.stalled, turn.faults)
        draft.put_turn(replace(turn, status=status, stalled=stalled, faults=faults))
    calls = any(isinstance(intent, e.ModelCalled | e.CompactionStarted) for intent in command.intents)
    if calls and not budgeting.admits_call(draft):
        return
    if command.steers_before is not None:
        for steer in command.steers:
            draft.deliver(steer.id, turn.id, call=command.steers_before)
        draft.session = replace(
            draft.session, queued_inputs=draft.session.queued_inputs - len(command.steers)
        )
    draft.say_for_turn(command.intents)


def settle_turn(draft: Draft, command: c.SettleTurn) -> None:
    turn = draft.open_turn()
    draft.say_for_turn(command.events)
    if command.error is None:
        draft.say(e.TurnCompleted(reason=command.reason), turn.id)
        draft.close_turn(Move.COMPLETE, command.reason)
    else:
        draft.say(e.TurnFailed(reason=command.reason, error=command.error), turn.id)
        draft.close_turn(Move.FAIL, command.reason, command.error)
    draft.queue_head()


def retry_turn(draft: Draft, command: c.RetryTurn) -> None:
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


def reclaim_turn(draft: Draft, command: c.ReclaimTurn) -> None:
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


def cancel_turn(draft: Draft, command: c.CancelTurn) -> None:
    turn = draft.open_turn()
    if turn.id != command.turn:
        raise WrongState("turn", "closed", "be cancelled")
    draft.stop_turn(command.by, command.reason, command.unfinished)
    draft.queue_head()
