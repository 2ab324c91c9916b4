"""Asks between rows and records."""

from uuid import UUID

from sojourn.domain.ask import Ask
from sojourn.domain.ids import AskId, TurnId
from sojourn.store.rows import (
    Row,
    object_of,
    to_instant,
    to_instant_or_none,
    to_json,
    to_micros,
    to_micros_or_none,
)


def ask_of(row: Row) -> Ask:
    id, turn, kind, prompt, status, on_expire, expires_at, created_at = row
    return Ask(
        id=AskId(UUID(bytes=id)),
        turn=TurnId(UUID(bytes=turn)),
        kind=kind,
        prompt=object_of(prompt),
        status=status,
        on_expire=on_expire,
        expires_at=to_instant_or_none(expires_at),
        created_at=to_instant(created_at),
    )


def ask_params(ask: Ask) -> dict[str, object]:
    return {
        "id": ask.id,
        "turn": ask.turn,
        "kind": ask.kind,
        "prompt": to_json(ask.prompt),
        "status": ask.status,
        "on_expire": ask.on_expire,
        "expires_at": to_micros_or_none(ask.expires_at),
        "created_at": to_micros(ask.created_at),
    }
