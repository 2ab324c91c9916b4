"""Rows to records and back. Columns are read by position, in the order in which the SQL texts list them.

On disk an instant is an integer of microseconds since the Unix epoch, an id 16 bytes, a structured value JSON text;
money is an integer of picodollars (1e-12 USD), which holds the price of one token exactly.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, TypeVar
from uuid import UUID

import msgspec

from sojourn.domain.agent import Agent, AgentSpec
from sojourn.domain.content import TextPart, Usage
from sojourn.domain.ids import AgentId, EventId, InputId, KeyId, OrgId, SessionId, TurnId
from sojourn.domain.input import Input, Priority
from sojourn.domain.kin import NO_KIN, Kin
from sojourn.domain.log import StoredEvent
from sojourn.domain.org import Org
from sojourn.domain.overlay import Overlay
from sojourn.domain.policy import NO_POLICY, Policy
from sojourn.domain.record import Recalled, SessionRecord, Tombstone
from sojourn.domain.session import Activity, Session, SessionStatus
from sojourn.domain.turn import Turn, TurnStatus

# What a driver hands back for one row; the columns' types are the schema's.
Row = Sequence[Any]
Params = Mapping[str, object]
Id = TypeVar("Id", bound=UUID)

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)
PICODOLLARS: Final = Decimal(10**12)

SESSION_COLUMNS: Final = 27

_encode = msgspec.json.Encoder().encode
_decode_policy = msgspec.json.Decoder(Policy).decode
_decode_content = msgspec.json.Decoder(tuple[TextPart, ...]).decode
_decode_kin = msgspec.json.Decoder(Kin).decode
_decode_overlay = msgspec.json.Decoder(Overlay).decode
_decode_spec = msgspec.json.Decoder(AgentSpec).decode
object_of = msgspec.json.Decoder(dict[str, Any]).decode
_decode_strings = msgspec.json.Decoder(tuple[str, ...]).decode


def to_micros(instant: datetime) -> int:
    return (instant - EPOCH) // MICROSECOND


def to_micros_or_none(instant: datetime | None) -> int | None:
    return None if instant is None else (instant - EPOCH) // MICROSECOND


def to_instant(micros: int) -> datetime:
    return EPOCH + timedelta(microseconds=micros)


def to_instant_or_none(micros: int | None) -> datetime | None:
    return None if micros is None else EPOCH + timedelta(microseconds=micros)


def to_json(value: object) -> str:
    return _encode(value).decode()


def to_json_or_none(value: Mapping[str, object] | Sequence[object]) -> str | None:
    """Empty values are not stored: most sessions have none."""
    return _encode(value).decode() if value else None


def session_of(row: Row) -> Session:
    (
        org, id, agent, agent_version, runner, status, activity, fence, next_seq, revision, open_turn, turns,
        queued_inputs, presences, policy, created_at, opened_at, active_at, updated_at, ended_at, end_reason,
        archived_at, stated_status, budgets, ended_activity, overlaid, kin,
    ) = row[:SESSION_COLUMNS]  # fmt: skip
    return Session(
        org=OrgId(UUID(bytes=org)),
        id=SessionId(UUID(bytes=id)),
        agent=AgentId(UUID(bytes=agent)),
        agent_version=agent_version,
        runner=runner,
        status=SessionStatus(status),
        activity=Activity(activity),
        fence=fence,
        next_seq=next_seq,
        revision=revision,
        open_turn=None if open_turn is None else TurnId(UUID(bytes=open_turn)),
        turns=turns,
        queued_inputs=queued_inputs,
        presences=presences,
        policy=policy_of(policy),
        created_at=to_instant(created_at),
        opened_at=to_instant(opened_at),
        active_at=to_instant(active_at),
        updated_at=to_instant(updated_at),
        ended_at=to_instant_or_none(ended_at),
        end_reason=end_reason,
        archived_at=to_instant_or_none(archived_at),
        stated_status=stated_status,
        budgets=budgets,
        ended_activity=None if ended_activity is None else Activity(ended_activity),
        overlaid=bool(overlaid),
        kin=NO_KIN if kin is None else _decode_kin(kin),
    )


def session_record_of(row: Row) -> SessionRecord:
    """A row may have the facet that was asked for as its last column."""
    (
        first_seq, origin, title, metadata, tags, external_id, input_tokens, output_tokens, cache_read_tokens,
        cache_write_tokens, cost_picodollars, alias, forked_from, forked_seq, overlay, *facet,
    ) = row[SESSION_COLUMNS:]  # fmt: skip
    return SessionRecord(
        session=session_of(row),
        origin=origin,
        title=title,
        metadata={} if metadata is None else object_of(metadata),
        tags=() if tags is None else _decode_strings(tags),
        external_id=external_id,
        first_seq=first_seq,
        usage=Usage(
            input_tokens,
            output_tokens,
            cache_read_tokens,
            cache_write_tokens,
            Decimal(cost_picodollars) / PICODOLLARS if cost_picodollars else None,
        ),
        facet=facet[0] if facet else None,
        alias=alias,
        forked_from=None if forked_from is None else SessionId(UUID(bytes=forked_from)),
        forked_seq=forked_seq,
        overlay=overlay_of(overlay),
    )


def session_params(session: Session) -> dict[str, object]:
    return {
        "org": session.org,
        "id": session.id,
        "status": session.status.value,
        "activity": session.activity.value,
        "fence": session.fence,
        "next_seq": session.next_seq,
        "revision": session.revision,
        "open_turn": session.open_turn,
        "turns": session.turns,
        "queued_inputs": session.queued_inputs,
        "presences": session.presences,
        "policy": None if session.policy is NO_POLICY else to_json(session.policy),
        "opened_at": to_micros(session.opened_at),
        "active_at": to_micros(session.active_at),
        "updated_at": to_micros(session.updated_at),
        "ended_at": to_micros_or_none(session.ended_at),
        "end_reason": session.end_reason,
        "archived_at": to_micros_or_none(session.archived_at),
        "stated_status": session.stated_status,
        "budgets": session.budgets,
        "ended_activity": None if session.ended_activity is None else session.ended_activity.value,
        "kin": None if session.kin is NO_KIN else to_json(session.kin),
    }


def usage_params(usage: Usage) -> dict[str, object]:
    cost = usage.cost_usd
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cost_picodollars": 0 if cost is None else int(cost * PICODOLLARS),
    }


def new_session_params(record: SessionRecord) -> dict[str, object]:
    session = record.session
    return {
        "org": session.org,
        "id": session.id,
        "agent": session.agent,
        "agent_version": session.agent_version,
        "runner": session.runner,
        "status": session.status.value,
        "activity": session.activity.value,
        "fence": session.fence,
        "next_seq": session.next_seq,
        "revision": session.revision,
        "presences": session.presences,
        "policy": None if session.policy is NO_POLICY else to_json(session.policy),
        "created_at": to_micros(session.created_at),
        "origin": record.origin,
        "title": record.title,
        "metadata": to_json_or_none(record.metadata),
        "tags": to_json_or_none(record.tags),
        "external_id": record.external_id,
        "alias": record.alias,
        "first_seq": record.first_seq,
        "forked_from": record.forked_from,
        "forked_seq": record.forked_seq,
        "stated_status": session.stated_status,
        "overlay": None if record.overlay is None else to_json(record.overlay),
        "parent": session.kin.parent,
        "kin": None if session.kin is NO_KIN else to_json(session.kin),
    }


def overlay_of(text: str | None) -> Overlay | None:
    return None if text is None else _decode_overlay(text)


def events_of(org: OrgId, session: SessionId, found: Iterable[Row]) -> list[StoredEvent]:
    """The events of one session, in the order of the log."""
    events: list[StoredEvent] = []
    turn_bytes: bytes | None = None
    turn: TurnId | None = None
    for row in found:
        seq, id, type, v, at, of_turn, tx, data = row
        # The events of a turn stand together, and making a UUID costs more than comparing its bytes.
        if of_turn != turn_bytes:
            turn_bytes = of_turn
            turn = None if of_turn is None else TurnId(UUID(bytes=of_turn))
        place = (org, session, seq, EventId(UUID(bytes=id)))
        events.append(StoredEvent(*place, type, v, to_instant(at), turn, tx, data))
    return events


def event_params(event: StoredEvent) -> dict[str, object]:
    return {
        "org": event.org,
        "session": event.session,
        "seq": event.seq,
        "id": event.id,
        "type": event.type,
        "v": event.v,
        "at": to_micros(event.at),
        "turn": event.turn,
        "tx": event.tx,
        "data": event.data,
    }


def turn_of(row: Row) -> Turn:
    (
        id, input, runner, status, first_seq, attempt, stalled, faults, parked, open_asks, ready_at, worker,
        agent_version, created_at, started_at, claimed_at, metered_at, ended_at, reason, error,
        model,
    ) = row  # fmt: skip
    created = to_instant(created_at)
    ready = to_instant(ready_at)
    return Turn(
        id=TurnId(UUID(bytes=id)),
        input=InputId(UUID(bytes=input)),
        runner=runner,
        status=TurnStatus(status),
        first_seq=first_seq,
        attempt=attempt,
        stalled=stalled,
        faults=faults,
        parked=bool(parked),
        open_asks=open_asks,
        not_before=ready if ready > created else None,
        worker=worker,
        agent_version=agent_version,
        created_at=created,
        started_at=to_instant_or_none(started_at),
        claimed_at=to_instant_or_none(claimed_at),
        metered_at=to_instant_or_none(metered_at),
        ended_at=to_instant_or_none(ended_at),
        reason=reason,
        error=error,
        model=model,
    )


def turn_params(turn: Turn) -> dict[str, object]:
    return {
        "id": turn.id,
        "input": turn.input,
        "runner": turn.runner,
        "status": turn.status.value,
        "first_seq": turn.first_seq,
        "attempt": turn.attempt,
        "stalled": turn.stalled,
        "faults": turn.faults,
        "parked": turn.parked,
        "open_asks": turn.open_asks,
        "ready_at": to_micros(turn.not_before or turn.created_at),
        "worker": turn.worker,
        "agent_version": turn.agent_version,
        "created_at": to_micros(turn.created_at),
        "started_at": to_micros_or_none(turn.started_at),
        "claimed_at": to_micros_or_none(turn.claimed_at),
        "metered_at": to_micros_or_none(turn.metered_at),
        "ended_at": to_micros_or_none(turn.ended_at),
        "reason": turn.reason,
        "error": turn.error,
        "model": turn.model,
    }


def input_of(row: Row) -> Input:
    (
        id, turn, kind, delivery, content, status, position, rank, priority, received_at, revision, expires_at,
        model,
    ) = row  # fmt: skip
    return Input(
        id=InputId(UUID(bytes=id)),
        turn=TurnId(UUID(bytes=turn)),
        kind=kind,
        delivery=delivery,
        content=_decode_content(content),
        status=status,
        position=position,
        rank=rank,
        priority=Priority(priority),
        received_at=to_instant(received_at),
        revision=revision,
        expires_at=to_instant_or_none(expires_at),
        model=model,
    )


def input_params(input: Input) -> dict[str, object]:
    return {
        "id": input.id,
        "turn": input.turn,
        "kind": input.kind,
        "delivery": input.delivery,
        "content": to_json(input.content),
        "status": input.status,
        "priority": input.priority,
        "position": input.position,
        "rank": input.rank,
        "revision": input.revision,
        "received_at": to_micros(input.received_at),
        "expires_at": to_micros_or_none(input.expires_at),
        "model": input.model,
    }


def agent_of(row: Row) -> Agent:
    id, version, spec, created_at, updated_at, archived_at = row
    return Agent(
        id=AgentId(UUID(bytes=id)),
        version=version,
        spec=_decode_spec(spec),
        created_at=to_instant(created_at),
        updated_at=to_instant(updated_at),
        archived_at=to_instant_or_none(archived_at),
    )


def org_of(row: Row) -> Org:
    id, name, policy, revision, created_at = row
    return Org(
        id=OrgId(UUID(bytes=id)),
        name=name,
        created_at=to_instant(created_at),
        policy=policy_of(policy),
        revision=revision,
    )


def org_params(org: Org) -> dict[str, object]:
    return {
        "id": org.id,
        "name": org.name,
        "policy": None if org.policy is NO_POLICY else to_json(org.policy),
        "revision": org.revision,
    }


def policy_of(text: str | None) -> Policy:
    return NO_POLICY if text is None else _decode_policy(text)


def recalled_of(row: Row) -> Recalled:
    request_hash, status, ids = row
    return Recalled(request_hash, status, object_of(ids))


def tombstone_of(row: Row) -> Tombstone:
    id, last_seq, deleted_at, deleted_by = row
    return Tombstone(
        SessionId(UUID(bytes=id)),
        last_seq,
        to_instant(deleted_at),
        None if deleted_by is None else KeyId(UUID(bytes=deleted_by)),
    )
