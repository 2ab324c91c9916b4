"""What travels, under agent-swarm's own names and in its order of keys; and the facet that keeps a session's fields.

Source: agent-swarm 1.135, `GET /openapi.json`, tag "Active Sessions"; and what its server answers in fact.
"""

from collections.abc import Sequence

import msgspec

DIALECT = "agent-swarm"


class Session(msgspec.Struct, frozen=True, rename="camel"):
    """Every key is always there. Instants have three decimals and end in Z."""

    id: str
    agent_id: str
    task_id: str | None
    trigger_type: str
    inbox_message_id: str | None
    task_description: str | None
    started_at: str
    last_heartbeat_at: str
    runner_session_id: str | None
    provider_session_id: str | None
    runtime_instance_id: str | None


class Facet(msgspec.Struct, frozen=True, rename="camel"):
    """What only agent-swarm knows of a session."""

    agent_id: str
    trigger_type: str
    task_id: str | None = None
    inbox_message_id: str | None = None
    task_description: str | None = None
    runner_session_id: str | None = None
    provider_session_id: str | None = None
    runtime_instance_id: str | None = None


class Created(msgspec.Struct, frozen=True):
    session: Session


class Deleted(msgspec.Struct, frozen=True):
    deleted: bool


class Updated(msgspec.Struct, frozen=True):
    updated: bool


class Cleaned(msgspec.Struct, frozen=True):
    cleaned: int


class Recovered(msgspec.Struct, frozen=True):
    """Tasks that nobody works on. There are none here: tasks are agent-swarm's own."""

    recovered: int = 0
    tasks: Sequence[str] = ()


class Error(msgspec.Struct, frozen=True):
    error: str
