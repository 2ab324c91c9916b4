# Made from src/sojourn/client/lifetimes.py by scripts/twin; change that one.
"""The verbs of the native API for how long sessions are open."""

from datetime import datetime
from uuid import UUID

from sojourn.client.request import post
from sojourn.client.sync.calls import Calls
from sojourn.client.types import Session


class LifetimeCalls(Calls):
    """What ends a session, and what opens it again."""

    def reopen_session(self, session: UUID) -> Session:
        """Conflict if it is open or archived, or its policy does not let it be opened again."""
        return self._transport.fetch(post(f"/sessions/{session}/reopen"), Session)

    def extend_session(self, session: UUID, seconds: float) -> Session:
        """Policy does not end the session for so many seconds from now; Conflict if it has ended already."""
        return self._transport.fetch(post(f"/sessions/{session}/extend", {"seconds": seconds}), Session)

    def extend_session_to(self, session: UUID, expires_at: datetime) -> Session:
        """The same up to an instant, which is aware."""
        body = {"expires_at": expires_at.isoformat()}
        return self._transport.fetch(post(f"/sessions/{session}/extend", body), Session)
