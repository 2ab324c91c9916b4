"""The one place where a session's next state is decided: State and Command in, Decision out, no I/O.

Commands that would break the table of `turn.py`, a revision or an ended session raise a Conflict and change nothing.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from sojourn.domain import budgeting
from sojourn.domain import commands as c
from sojourn.domain.draft import Decision, Draft, State
from sojourn.domain.kinship import release_child
from sojourn.domain.lifecycle import (
    attach_presence,
    change_files,
    end_session,
    expire_session,
    fork_session,
    import_session,
    release_presence,
    rewind_session,
    update_session,
)
from sojourn.domain.lifetime import extend_session, note_activity, reopen_session, trim_log
from sojourn.domain.queueing import edit_input, move_input, receive_input, withdraw_input
from sojourn.domain.turning import (
    append_events,
    cancel_turn,
    claim_turn,
    reclaim_turn,
    retry_turn,
    settle_turn,
)
from sojourn.domain.waits import decide_ask, decide_asks, wait_turn

# What is done to a session without anybody working with it.
_NO_ACTIVITY: Final = (
    c.UpdateSession
    | c.BudgetCommand
    | c.EndSession
    | c.ExpireSession
    | c.ExtendSession
    | c.NoteActivity
    | c.TrimLog
)


def decide(state: State, command: c.Command, now: datetime) -> Decision:
    draft = Draft(state, now)
    _DECIDERS[type(command)](draft, command)
    return draft.done(is_activity=not isinstance(command, _NO_ACTIVITY))


_DECIDERS: Final[dict[type[c.Command], Callable[[Draft, Any], None]]] = {
    c.ReceiveInput: receive_input,
    c.EditInput: edit_input,
    c.MoveInput: move_input,
    c.WithdrawInput: withdraw_input,
    c.ClaimTurn: claim_turn,
    c.AppendEvents: append_events,
    c.SettleTurn: settle_turn,
    c.RetryTurn: retry_turn,
    c.WaitTurn: wait_turn,
    c.DecideAsk: decide_ask,
    c.DecideAsks: decide_asks,
    c.ReclaimTurn: reclaim_turn,
    c.CancelTurn: cancel_turn,
    c.ReleaseChild: release_child,
    c.EndSession: end_session,
    c.ExpireSession: expire_session,
    c.ReopenSession: reopen_session,
    c.ExtendSession: extend_session,
    c.NoteActivity: note_activity,
    c.TrimLog: trim_log,
    c.ForkSession: fork_session,
    c.ImportSession: import_session,
    c.RewindSession: rewind_session,
    c.UpdateSession: update_session,
    c.ChangeFiles: change_files,
    c.AttachPresence: attach_presence,
    c.ReleasePresence: release_presence,
    c.StopAtBudget: budgeting.stop_at_budget,
    c.LookAtBudgets: budgeting.look_at_budgets,
    c.TellOfBudget: budgeting.tell_of_budget,
    c.CreateBudget: budgeting.create_budget,
    c.ChangeBudget: budgeting.change_budget,
    c.ChargeBudget: budgeting.charge_budget,
    c.TopUpBudget: budgeting.top_up_budget,
    c.ResumeBudgets: budgeting.resume_budgets,
}
