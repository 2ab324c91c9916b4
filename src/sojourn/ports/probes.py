"""Whether what runs a session's agent goes on without a turn."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sojourn.domain.agent import Agent
from sojourn.domain.ids import OrgId, SessionId


@dataclass(frozen=True, slots=True, kw_only=True)
class Idler:
    """A session whose idle timeout is over. `ended_at` is when its last turn ended."""

    org: OrgId
    session: SessionId
    alias: str | None
    agent: Agent
    ended_at: datetime


class BusyProbe(Protocol):
    """A runner's way to ask; in bounded time."""

    async def last_active(self, idler: Idler, now: datetime) -> datetime | None:
        """When the session was last worked for, as far as the agent's own process says; None if it says nothing."""
        ...
