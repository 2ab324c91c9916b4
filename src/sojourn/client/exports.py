"""Sessions as files."""

from collections.abc import AsyncGenerator
from uuid import UUID

from sojourn.client.calls import Calls


class ExportCalls(Calls):
    def export_session(self, session: UUID, *, files: bool = True) -> AsyncGenerator[bytes, None]:
        """The session as JSON lines, in chunks that end anywhere, up to what is its last event now.

        `sojourn verify` checks them. Without `files` the contents of its files are left out, and no import can be made
        of it. A lost connection is a ServerUnreachable, and the export has to begin anew.
        """
        params = [("files", "true" if files else "false")]
        return self._transport.download(f"/sessions/{session}/export", params)
