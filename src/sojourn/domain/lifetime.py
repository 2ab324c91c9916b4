"""How long a session is open: the deciders of its reopening and its extension."""

from dataclasses import replace

from sojourn.domain import commands as c
from sojourn.domain import events as e
from sojourn.domain.actor import TIMEOUT, Actor
from sojourn.domain.draft import Draft
from sojourn.domain.errors import WrongState
from sojourn.domain.kinds import Json
from sojourn.domain.policy import may_reopen
from sojourn.domain.session import SessionStatus


def reopen(draft: Draft, by: Actor) -> None:
    """WrongState where the session's policy does not let it be opened again."""
    session = draft.session
    if session.ended_at is None or not may_reopen(session.policy, session.ended_at, draft.now):
        raise WrongState("session", f"{session.status} for good by its policy", "be reopened")
    draft.say(e.SessionReopened(by=by))
    draft.session = replace(
        session,
        status=SessionStatus.OPEN,
        ended_at=None,
        end_reason=None,
        ended_activity=None,
        opened_at=draft.now,
    )


def reopen_session(draft: Draft, command: c.ReopenSession) -> None:
    session = draft.session
    if session.archived_at is not None:
        raise WrongState("session", "archived", "be reopened")
    if session.status is SessionStatus.OPEN:
        raise WrongState("session", session.status, "be reopened")
    reopen(draft, command.by)


def note_activity(draft: Draft, command: c.NoteActivity) -> None:
    """Nothing is said of it: it has happened outside, and only holds off the end that idleness brings."""
    session = draft.session
    # Activity of the future is somebody's wrong clock; that of before the last known says nothing new.
    draft.session = replace(session, active_at=max(session.active_at, min(command.active_at, draft.now)))


def extend_session(draft: Draft, command: c.ExtendSession) -> None:
    """No deadline of the session itself comes before `until`. Those that come later anyway stay."""
    session = draft.session
    if session.status is not SessionStatus.OPEN:
        raise WrongState("session", session.status, "be extended")
    until, policy = command.until, session.policy
    held_off = until if policy.extended_to is None else max(until, policy.extended_to)
    revision = session.revision + 1
    changes: dict[str, Json] = {"extended_to": held_off.isoformat()}
    draft.say(e.SessionUpdated(revision=revision, changes=changes, by=command.by))
    draft.session = replace(session, revision=revision, policy=replace(policy, extended_to=held_off))


def trim_log(draft: Draft, _command: c.TrimLog) -> None:
    """Only a log that nobody folds any more can be cut: the session has ended, and from now on it has for good.

    Whoever opens it again all the same, by changing its policy first, finds a session that remembers nothing.
    """
    session = draft.session
    if session.status is SessionStatus.OPEN:
        raise WrongState("session", session.status, "have its log cut")
    draft.say(e.SessionTrimmed(first_seq=draft.next_seq, by=TIMEOUT))
    policy = replace(session.policy, retain_log_seconds=None, reopen="never")
    draft.session = replace(session, policy=policy)
