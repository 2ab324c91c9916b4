"""A session as Everruns shows it, and what a client may say of one."""

from typing import Literal

from msgspec import UNSET, Struct, UnsetType

# The client knows these four and refuses any other.
Status = Literal["started", "active", "idle", "waitingfortoolresults"]


class Session(Struct, kw_only=True):
    id: str
    organization_id: str
    workspace_id: str
    harness_id: str
    agent_id: str
    owner_principal_id: str
    status: Status
    tags: list[str]
    created_at: str
    updated_at: str
    title: str | UnsetType = UNSET
    finished_at: str | UnsetType = UNSET
