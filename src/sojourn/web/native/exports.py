"""Handlers of exported sessions."""

from tempfile import TemporaryFile
from typing import Final

from sojourn.domain.export import Trailer
from sojourn.service.imports import request_hash
from sojourn.service.results import Repeat
from sojourn.web.kit.body import spool_body
from sojourn.web.kit.conditions import etag
from sojourn.web.kit.download import Download
from sojourn.web.kit.idempotency import idempotency_key, replayed
from sojourn.web.kit.response import Response, json_response
from sojourn.web.native import inbound, outbound, queries, wire
from sojourn.web.native.route import Call, StreamedBody

# Of an exported session, which lies in a temporary file while it is read.
IMPORT_LIMIT: Final = 256 * 1024 * 1024
LINES: Final = b"application/x-ndjson"


async def import_session(call: Call[queries.Import, StreamedBody]) -> Response:
    with TemporaryFile() as file:
        await spool_body(call.request, file, IMPORT_LIMIT)
        checked = await call.services.imports.check(file)
        new = inbound.new_import(checked.header, call.query)
        result = await call.services.imports.load(
            call.org, file, checked, new, call.by, _repeat(call, checked.trailer)
        )
    body = outbound.created_session(result.value, result.created)
    status = 201 if result.created else 200
    return json_response(body, status, etag(body.revision), *replayed(result))


def _repeat(call: Call[queries.Import, StreamedBody], trailer: Trailer) -> Repeat | None:
    """The body is too large to be digested as JSON, and its trailer stands for it."""
    key = idempotency_key(call.request)
    if key is None:
        return None
    given = request_hash(trailer, call.request.query_string.decode("latin-1"))
    return Repeat(call.principal.key, "import_session", key, given)


async def export(call: Call[queries.Export, wire.Nothing]) -> Download:
    lines = await call.services.exports.open(call.org, call.session, call.query.files == "true")
    name = f'attachment; filename="{call.session}.jsonl"'
    return Download(lines, LINES, ((b"content-disposition", name.encode()), (b"cache-control", b"no-store")))
