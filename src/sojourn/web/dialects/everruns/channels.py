"""Channels: each agent is one, and who calls it sees the agent's sessions and nothing else. Pure."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

import msgspec
from msgspec import UNSET

from sojourn.domain.agent import Agent
from sojourn.domain.ask import Ask
from sojourn.domain.filter import All, AnyOf, Compare, FacetPath, Filter
from sojourn.domain.ids import AgentId, SessionId
from sojourn.domain.record import SessionRecord
from sojourn.domain.session import Activity, Session, SessionStatus
from sojourn.domain.turn import TurnSpan, TurnStatus
from sojourn.web.dialects.everruns import agent_facet, answers, ids, wire
from sojourn.web.dialects.everruns.outbound import stamp
from sojourn.web.dialects.everruns.wire.message import NewMessage, Text
from sojourn.web.kit.refusals import BadRequest, RequestRefused

# The sessions that a channel makes keep in this facet for whom.
FACET: Final = "everruns.channel"
LONGEST_TITLE: Final = 200
LONGEST_END_USER: Final = 255

_ID: Final = re.compile("(?:apichan|appchan|agent)_([0-9a-f]{32})")
_END_USER: Final = re.compile(r"[^\x00-\x1f\x7f]+")
_OUTCOMES: Final[Mapping[TurnStatus, wire.Outcome]] = {
    TurnStatus.COMPLETED: "completed",
    TurnStatus.FAILED: "failed",
    TurnStatus.CANCELLED: "cancelled",
}


class AgentUnavailable(RequestRefused):
    code: ClassVar[str] = "agent_unavailable"

    def __init__(self) -> None:
        super().__init__("This agent is not available")


class NoRuntimeTokens(RequestRefused):
    code: ClassVar[str] = "runtime_tokens_unavailable"

    def __init__(self) -> None:
        super().__init__("No runtime tokens are issued here: call through a server that keeps the key")


class ChannelFacet(msgspec.Struct, omit_defaults=True, frozen=True):
    end_user: str | None = None


_decode: Final = msgspec.json.Decoder(ChannelFacet).decode


def reference(channel: str) -> AgentId | str:
    """The agent that a channel's id stands for; what is no id is an agent's name."""
    found = _ID.fullmatch(channel)
    return channel if found is None else AgentId(UUID(hex=found[1]))


def end_user(header: str | None) -> str | None:
    """For whom a caller acts."""
    if header is None:
        return None
    # Header values come as Latin-1, whatever was sent.
    text = header.encode("latin-1").decode(errors="replace").strip()
    if len(text) > LONGEST_END_USER or _END_USER.fullmatch(text) is None:
        raise BadRequest(f"must be 1 to {LONGEST_END_USER} characters", "End-User")
    return text


def facet(end_user: str | None) -> tuple[str, str] | None:
    return None if end_user is None else (FACET, msgspec.json.encode(ChannelFacet(end_user)).decode())


def is_callers(record: SessionRecord, agent: Agent, end_user: str | None) -> bool:
    """Whoever names no end user sees the sessions of all of them. `record` has the facet of channels."""
    row = record.session
    if row.agent != agent.id or row.archived_at is not None:
        return False
    return end_user is None or (record.facet is not None and _decode(record.facet).end_user == end_user)


def selected(agent: Agent, end_user: str | None) -> tuple[Filter, ...]:
    where: tuple[Filter, ...] = (Compare("agent", "eq", agent.id), Compare("archived_at", "is_null"))
    return where if end_user is None else (*where, Compare(FacetPath(FACET, ("end_user",)), "eq", end_user))


def behind(active_at: datetime, id: SessionId) -> Filter:
    """What comes after a session in a list of the most recently active first."""
    older = Compare("active_at", "lt", active_at)
    same = All((Compare("active_at", "eq", active_at), Compare("id", "gt", id)))
    return AnyOf((older, same))


def title(new: wire.NewChannelSession) -> str | None:
    if new.metadata is not None:
        raise BadRequest("Session metadata is not supported by this host")
    if new.title is not None and len(new.title) > LONGEST_TITLE:
        raise BadRequest(f"must be at most {LONGEST_TITLE} characters", "title")
    return new.title


def message(said: NewMessage) -> NewMessage:
    """The message and nothing else."""
    if not all(isinstance(part, Text) for part in said.message.content):
        raise BadRequest("message content must be one or more text parts")
    return NewMessage(message=said.message)


def card(agent: Agent, place: str) -> wire.AgentCard:
    return wire.AgentCard(
        name=agent_facet.read(agent.spec).display_name or agent.spec.name,
        description=UNSET if agent.spec.description is None else agent.spec.description,
        links=wire.CardLinks(f"{place}/sessions"),
    )


def session(record: SessionRecord, turns: TurnSpan | None, asks: Sequence[Ask] = ()) -> wire.ChannelSession:
    """`asks` are open; in a list they are not shown."""
    row = record.session
    outcome = None if turns is None else _OUTCOMES.get(turns.status)
    return wire.ChannelSession(
        id=ids.text("session", row.id),
        status="idle" if turns is not None and turns.is_paused else status(row),
        created_at=stamp(row.created_at),
        updated_at=stamp(row.updated_at),
        title=record.title or UNSET,
        last_turn_status=UNSET if outcome is None else outcome,
        pending_questions=answers.pending_questions(asks) or UNSET,
        pending_approvals=answers.pending_approvals(asks) or UNSET,
    )


def status(session: Session) -> wire.ChannelStatus:
    if session.status is not SessionStatus.OPEN:
        return "failed" if session.status is SessionStatus.FAILED else "idle"
    match session.activity:
        case Activity.IDLE:
            return "idle" if session.turns else "started"
        case Activity.WAITING:
            return "waitingforinput"
        case Activity.QUEUED | Activity.STARTING | Activity.BUSY | Activity.RETRYING:
            return "active"
