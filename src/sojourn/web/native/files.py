"""Handlers of the file area of a session."""

from typing import Annotated, Final

import msgspec
from msgspec import UNSET, Meta

from sojourn.domain.file import File
from sojourn.service.results import Result
from sojourn.web.kit.idempotency import replayed
from sojourn.web.kit.paging import Cursors, cut
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import NO_CONTENT, Header, Response, json_response
from sojourn.web.native import file_wire, outbound, queries, wire
from sojourn.web.native.route import Call, RawBody

BYTES: Final = b"application/octet-stream"
# What agents write is hostile: no browser is to run it as a page of ours.
INERT: Final[tuple[Header, ...]] = (
    (b"x-content-type-options", b"nosniff"),
    (b"content-disposition", b"attachment"),
)


class FilePlace(msgspec.Struct, array_like=True, frozen=True):
    """The last entry of a page."""

    path: Annotated[str, Meta(max_length=1000)]


CURSORS: Final = Cursors("files", FilePlace)


async def page(call: Call[queries.FileList, wire.Nothing]) -> Response:
    query = call.query
    selection = (str(call.session), query.directory, query.recursive)
    after = "" if query.cursor is UNSET else CURSORS.read(query.cursor, call.org, *selection).path
    found = await call.services.files.list(
        call.org, call.session, query.directory, recursive=query.recursive == "true"
    )
    files, last = cut([file for file in found if file.path > after], query.limit)
    cursor = None if last is None else CURSORS.write(FilePlace(last.path), call.org, *selection)
    return json_response(file_wire.Files([outbound.file(file) for file in files], cursor))


async def get(call: Call[queries.FilePath, wire.Nothing]) -> Response:
    return answer(await call.services.files.get(call.org, call.session, call.query.path))


async def read(call: Call[queries.FilePath, wire.Nothing]) -> Response:
    file, data = await call.services.files.read(call.org, call.session, call.query.path)
    return Response(200, data, BYTES, (*INERT, (b"etag", f'"{file.sha256}"'.encode())))


async def write(call: Call[queries.FileWrite, RawBody]) -> Response:
    result = await call.services.files.write(
        call.org,
        call.session,
        call.query.path,
        call.body.data,
        readonly=call.query.readonly == "true",
        create_only=is_create_only(call.request),
    )
    return answer(result.value, 201 if result.created else 200)


def is_create_only(request: Request) -> bool:
    """Whether `If-None-Match: *` asks that there be nothing yet; a list of tags is a BadRequest."""
    value = request.header(b"if-none-match")
    if value is not None and value.strip() != "*":
        raise BadRequest("must be *", "If-None-Match")
    return value is not None


async def protect(call: Call[queries.FilePath, file_wire.FileChange]) -> Response:
    return answer(
        await call.services.files.protect(call.org, call.session, call.query.path, call.body.readonly)
    )


async def delete(call: Call[queries.FileDelete, wire.Nothing]) -> Response:
    await call.services.files.delete(
        call.org, call.session, call.query.path, recursive=call.query.recursive == "true"
    )
    return NO_CONTENT


async def make_directory(call: Call[queries.NoQuery, file_wire.NewDirectory]) -> Response:
    return made(await call.services.files.make_directory(call.org, call.session, call.body.path, call.repeat))


async def move(call: Call[queries.NoQuery, file_wire.FileMove]) -> Response:
    body = call.body
    return made(await call.services.files.move(call.org, call.session, body.source, body.target, call.repeat))


async def copy(call: Call[queries.NoQuery, file_wire.FileMove]) -> Response:
    body = call.body
    return made(await call.services.files.copy(call.org, call.session, body.source, body.target, call.repeat))


async def grep(call: Call[queries.NoQuery, file_wire.Grep]) -> Response:
    body = call.body
    found = await call.services.files.grep(
        call.org, call.session, body.pattern, directory=body.directory, glob=body.glob
    )
    matches = [file_wire.Match(match.path, match.line, match.text) for match in found.matches]
    return json_response(file_wire.Matches(matches, found.truncated))


def answer(file: File, status: int = 200) -> Response:
    return json_response(outbound.file(file), status)


def made(result: Result[File]) -> Response:
    return json_response(outbound.file(result.value), 201, *replayed(result))
