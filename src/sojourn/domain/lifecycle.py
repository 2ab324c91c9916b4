"""What becomes of a session as a whole: the deciders of its end, fork, record, files and presences."""

from dataclasses import replace
from datetime import datetime

from sojourn.domain import commands as c
from sojourn.domain import events as e
from sojourn.domain.actor import TIMEOUT, Actor
from sojourn.domain.draft import Draft
from sojourn.domain.errors import WrongState
from sojourn.domain.kinds import Outcome
from sojourn.domain.queueing import require_revision
from sojourn.domain.session import Activity, Session, SessionStatus


def end_session(draft: Draft, command: c.EndSession) -> None:
    _close_session(draft, command.by, "interrupted", command)
    draft.say(e.SessionEnded(status=command.status, by=command.by, reason=command.reason))
    draft.session = _ended(draft.session, SessionStatus(command.status), command.reason, draft.now)


def expire_session(draft: Draft, command: c.ExpireSession) -> None:
    _close_session(draft, TIMEOUT, "expired", command)
    draft.say(e.SessionExpired(reason=command.reason, by=TIMEOUT))
    draft.session = _ended(draft.session, SessionStatus.EXPIRED, command.reason, draft.now)


def _close_session(draft: Draft, by: Actor, reason: Outcome, command: c.EndSession | c.ExpireSession) -> None:
    """Ending settles the open turn first; what was queued behind it is withdrawn, and said to be."""
    if draft.session.status is not SessionStatus.OPEN:
        raise WrongState("session", draft.session.status, "be ended")
    draft.session = replace(draft.session, ended_activity=draft.session.activity)
    if draft.turn is not None:
        draft.stop_turn(by, reason, command.unfinished)
    for queued in command.queued:
        draft.withdraw(queued.id, by)
    draft.session = replace(draft.session, queued_inputs=0, presences=0)


def fork_session(draft: Draft, command: c.ForkSession) -> None:
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
    _close_past(draft, command)


def import_session(draft: Draft, command: c.ImportSession) -> None:
    session = draft.session
    draft.say(
        e.SessionImported(
            origin=command.origin,
            at=command.at,
            head=command.head,
            agent=session.agent,
            agent_version=session.agent_version,
            title=command.title,
            external_id=command.external_id,
            by=command.by,
        )
    )
    _close_past(draft, command)


def _close_past(draft: Draft, command: c.ForkSession | c.ImportSession) -> None:
    if draft.turn is not None:
        draft.cut_turn(command.by, "interrupted", command.unfinished)
    for waiting in command.waiting:
        draft.withdraw(waiting.id, command.by)
    draft.session = replace(draft.session, queued_inputs=0)


def rewind_session(draft: Draft, command: c.RewindSession) -> None:
    """Only an idle session: what a worker or a queue is at cannot be taken back under it."""
    session = draft.session
    if session.archived_at is not None:
        raise WrongState("session", "archived", "be rewound")
    if session.status is not SessionStatus.OPEN:
        raise WrongState("session", session.status, "be rewound")
    if session.activity is not Activity.IDLE:
        raise WrongState("session", session.activity, "be rewound")
    draft.say(e.SessionRewound(to=command.to, by=command.by))
    for change in command.changes:
        draft.say(change)


def _ended(session: Session, status: SessionStatus, reason: str | None, now: datetime) -> Session:
    return replace(session, status=status, ended_at=now, end_reason=reason)


def update_session(draft: Draft, command: c.UpdateSession) -> None:
    require_revision(draft.session.revision, command.expected_revision)
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


def change_files(draft: Draft, command: c.ChangeFiles) -> None:
    if draft.session.archived_at is not None:
        raise WrongState("session", "archived", "have its files changed")
    if draft.session.status is not SessionStatus.OPEN:
        raise WrongState("session", draft.session.status, "have its files changed")
    for change in command.changes:
        draft.say(change)


def attach_presence(draft: Draft, command: c.AttachPresence) -> None:
    if draft.session.status is not SessionStatus.OPEN:
        raise WrongState("session", draft.session.status, "be driven from outside")
    draft.say(e.LeaseAcquired(kind="presence", holder=command.holder))
    draft.session = replace(draft.session, presences=draft.session.presences + 1)


def release_presence(draft: Draft, command: c.ReleasePresence) -> None:
    draft.say(e.LeaseReleased(kind="presence", holder=command.holder, by=command.by))
    draft.session = replace(draft.session, presences=draft.session.presences - 1)
    if draft.session.status is SessionStatus.OPEN:
        draft.queue_head()
