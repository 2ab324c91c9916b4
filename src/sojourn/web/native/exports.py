"""Handlers of exported sessions."""

from typing import Final

from sojourn.web.kit.download import Download
from sojourn.web.native import queries, wire
from sojourn.web.native.route import Call

LINES: Final = b"application/x-ndjson"


async def export(call: Call[queries.Export, wire.Nothing]) -> Download:
    lines = await call.services.exports.open(call.org, call.session, call.query.files == "true")
    name = f'attachment; filename="{call.session}.jsonl"'
    return Download(lines, LINES, ((b"content-disposition", name.encode()), (b"cache-control", b"no-store")))
