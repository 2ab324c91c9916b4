# Made from src/sojourn/client/exports.py by scripts/twin; change that one.
"""Sessions as files."""

from collections.abc import Generator
from uuid import UUID, uuid4

from sojourn.client.request import Request, optional
from sojourn.client.sync.calls import Calls
from sojourn.client.sync.transport import Content
from sojourn.client.types import CreatedSession


class ExportCalls(Calls):
    def import_session(
        self,
        content: Content,
        *,
        agent: str | None = None,
        external_id: str | None = None,
        new_id: bool = False,
        idempotency_key: str | None = None,
    ) -> CreatedSession:
        """Make a session of an exported one; `content` gives its bytes anew for each try.

        Without `agent`, an id or a name, it is the one of the file. The session keeps its id unless `new_id`, or that
        is taken. InvalidRequest names the line that was changed, or that no session can have.
        """
        params = [*optional("agent", agent), *optional("external_id", external_id)]
        params += [("id", "new")] if new_id else []
        request = Request(
            "POST",
            "/sessions/import",
            params,
            headers={
                "Idempotency-Key": idempotency_key or uuid4().hex,
                "Content-Type": "application/x-ndjson",
            },
        )
        return self._transport.fetch(request, CreatedSession, content)

    def export_session(self, session: UUID, *, files: bool = True) -> Generator[bytes, None]:
        """The session as JSON lines, in chunks that end anywhere, up to what is its last event now.

        `sojourn verify` checks them. Without `files` the contents of its files are left out, and no import can be made
        of it. A lost connection is a ServerUnreachable, and the export has to begin anew.
        """
        params = [("files", "true" if files else "false")]
        return self._transport.download(f"/sessions/{session}/export", params)
