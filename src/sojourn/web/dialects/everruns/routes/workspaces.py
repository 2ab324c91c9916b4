"""Workspaces, each of a session, and their files."""

from typing import Final

from sojourn.domain.errors import NotFound, WrongState
from sojourn.domain.file import file_path
from sojourn.domain.filter import All, Compare, Filter, SessionQuery
from sojourn.domain.ids import SessionId
from sojourn.domain.record import SessionRecord
from sojourn.service.core import Services
from sojourn.web.dialects.everruns import workspaces
from sojourn.web.dialects.everruns.server import Caller, Routes, Server
from sojourn.web.dialects.everruns.wire import Items, Search
from sojourn.web.dialects.everruns.wire import workspace as wire
from sojourn.web.dialects.everruns.workspaces import FileIsReadonly, NoStandaloneWorkspace, SessionsWorkspace
from sojourn.web.kit.auth import Scope
from sojourn.web.kit.body import JsonBody
from sojourn.web.kit.query import Query
from sojourn.web.kit.refusals import BadRequest
from sojourn.web.kit.request import Request
from sojourn.web.kit.response import Response, json_response

_SEARCH: Final = Query(Search)
_LIST: Final = Query(wire.FileList)
_NEW: Final = JsonBody(wire.NewFile)
_CHANGED: Final = JsonBody(wire.ChangedFile)
_RELOCATION: Final = JsonBody(wire.Relocation)
_GREP: Final = JsonBody(wire.Grep)
_STAT: Final = JsonBody(wire.Stat)
# The list has no pages.
MOST_LISTED: Final = 1_000


def routes(server: Server) -> Routes:
    workspaces, files = _Workspaces(server), _Files(server)
    place, fs = "/workspaces/{workspace}", "/workspaces/{workspace}/fs"
    return [
        ("GET", "/workspaces", workspaces.page),
        ("POST", "/workspaces", workspaces.refuse_new),
        ("GET", place, workspaces.get),
        ("PATCH", place, workspaces.refuse_change),
        ("DELETE", place, workspaces.refuse_change),
        ("GET", fs, files.get),
        ("POST", f"{fs}/_/move", files.move),
        ("POST", f"{fs}/_/copy", files.copy),
        ("POST", f"{fs}/_/grep", files.grep),
        ("POST", f"{fs}/_/stat", files.stat),
        ("GET", f"{fs}/_/download/{{path...}}", files.download),
        ("GET", f"{fs}/{{path...}}", files.get),
        ("POST", f"{fs}/{{path...}}", files.create),
        ("PUT", f"{fs}/{{path...}}", files.update),
        ("DELETE", f"{fs}/{{path...}}", files.delete),
    ]


class _Workspaces:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._sessions = server.services.sessions

    async def page(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        query = _SEARCH.read(request.query_string)
        where: list[Filter] = []
        if query.include_archived == "false":
            where.append(Compare("archived_at", "is_null"))
        records = await self._sessions.list(
            caller.org, SessionQuery(where=All(tuple(where)), limit=MOST_LISTED)
        )
        found = (workspaces.workspace(record) for record in records)
        return json_response(Items([each for each in found if query.search.lower() in each.name.lower()]))

    async def get(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:read")
        return json_response(workspaces.workspace(await _session(self._server.services, caller, request)))

    async def refuse_new(self, request: Request) -> Response:
        await self._server.caller(request, "sessions:write")
        raise NoStandaloneWorkspace

    async def refuse_change(self, request: Request) -> Response:
        caller = await self._server.caller(request, "sessions:write")
        await _session(self._server.services, caller, request)
        raise SessionsWorkspace


class _Files:
    def __init__(self, server: Server) -> None:
        self._server = server
        self._files = server.services.files

    async def get(self, request: Request) -> Response:
        """A file with its content, or what lies in a directory."""
        caller, session = await self._place(request, "sessions:read")
        query, path = _LIST.read(request.query_string), request.params.get("path", "").strip("/")
        if path:
            file = await self._files.get(caller.org, session, path)
            if not file.is_directory:
                file, content = await self._files.read(caller.org, session, path)
                return json_response(workspaces.whole(session, file, content))
        found = await self._files.list(caller.org, session, path, recursive=query.recursive == "true")
        return json_response(Items([workspaces.info(session, file) for file in found]))

    async def download(self, request: Request) -> Response:
        caller, session = await self._place(request, "sessions:read")
        _, content = await self._files.read(caller.org, session, request.params["path"])
        return Response(200, content, b"application/octet-stream", ((b"content-disposition", b"attachment"),))

    async def create(self, request: Request) -> Response:
        caller, session = await self._place(request, "sessions:write")
        new, path = await self._server.body(request, _NEW), workspaces.free_path(request.params["path"])
        if new.is_directory:
            made = (await self._files.make_directory(caller.org, session, path)).value
            return json_response(workspaces.whole(session, made, None), 201)
        content = workspaces.data(new.content, new.encoding)
        written = await self._files.write(
            caller.org, session, path, content, readonly=bool(new.is_readonly), create_only=True
        )
        return json_response(workspaces.whole(session, written.value, content), 201)

    async def update(self, request: Request) -> Response:
        caller, session = await self._place(request, "sessions:write")
        changed, path = (
            await self._server.body(request, _CHANGED),
            workspaces.free_path(request.params["path"]),
        )
        file = await self._files.get(caller.org, session, path)
        if file.is_directory:
            raise BadRequest("is a directory", "path")
        if changed.is_readonly is not None and not (changed.is_readonly and changed.content is not None):
            file = await self._files.protect(caller.org, session, path, changed.is_readonly)
        if changed.content is None:
            file, content = await self._files.read(caller.org, session, path)
            return json_response(workspaces.whole(session, file, content))
        if file.readonly:
            raise FileIsReadonly(file.path)
        content = workspaces.data(changed.content, changed.encoding)
        written = await self._files.write(
            caller.org, session, path, content, readonly=bool(changed.is_readonly)
        )
        return json_response(workspaces.whole(session, written.value, content))

    async def delete(self, request: Request) -> Response:
        caller, session = await self._place(request, "sessions:write")
        query, path = _LIST.read(request.query_string), request.params["path"]
        try:
            await self._files.delete(caller.org, session, path, recursive=query.recursive == "true")
        except NotFound as error:
            if error.kind != "file":
                raise
            return json_response(wire.Deleted(False))
        except WrongState as error:
            raise _refusal(error, path) from None
        return json_response(wire.Deleted(True))

    async def move(self, request: Request) -> Response:
        caller, session = await self._place(request, "sessions:write")
        wanted = await self._server.body(request, _RELOCATION)
        target = workspaces.free_path(wanted.dst_path)
        try:
            moved = (await self._files.move(caller.org, session, wanted.src_path, target)).value
        except WrongState as error:
            raise _refusal(error, wanted.src_path) from None
        return json_response(await self._whole(caller, session, moved.path))

    async def copy(self, request: Request) -> Response:
        caller, session = await self._place(request, "sessions:write")
        wanted = await self._server.body(request, _RELOCATION)
        target = workspaces.free_path(wanted.dst_path)
        if (await self._files.get(caller.org, session, wanted.src_path)).is_directory:
            raise BadRequest("is a directory, which cannot be copied", "src_path")
        made = (await self._files.copy(caller.org, session, wanted.src_path, target)).value
        return json_response(await self._whole(caller, session, made.path), 201)

    async def grep(self, request: Request) -> Response:
        caller, session = await self._place(request, "sessions:read")
        wanted = await self._server.body(request, _GREP)
        glob = None if wanted.path_pattern is None else wanted.path_pattern.removeprefix("/")
        found = await self._files.grep(caller.org, session, wanted.pattern, glob=glob)
        return json_response(Items(workspaces.results(found.matches)))

    async def stat(self, request: Request) -> Response:
        caller, session = await self._place(request, "sessions:read")
        path = (await self._server.body(request, _STAT)).path
        if not path.strip("/."):
            record = await self._server.services.sessions.get(caller.org, session)
            return json_response(workspaces.stat(workspaces.root(record.session.created_at)))
        return json_response(workspaces.stat(await self._files.get(caller.org, session, file_path(path))))

    async def _whole(self, caller: Caller, session: SessionId, path: str) -> wire.SessionFile:
        file = await self._files.get(caller.org, session, path)
        content = None if file.is_directory else (await self._files.read(caller.org, session, path))[1]
        return workspaces.whole(session, file, content)

    async def _place(self, request: Request, scope: Scope) -> tuple[Caller, SessionId]:
        """Who asks, and the session whose workspace it is about."""
        caller = await self._server.caller(request, scope)
        return caller, (await _session(self._server.services, caller, request)).session.id


async def _session(services: Services, caller: Caller, request: Request) -> SessionRecord:
    """NotFound names the workspace, as that is what was asked for."""
    session = workspaces.session_of(request.params["workspace"])
    try:
        return await services.sessions.get(caller.org, session)
    except NotFound:
        raise NotFound("workspace", session) from None


def _refusal(error: WrongState, path: str) -> Exception:
    """A read-only file is forbidden ground; a directory that is not empty makes a wrong request."""
    if error.state == "read-only":
        return FileIsReadonly(path)
    if error.subject in ("directory", "path"):
        return BadRequest(str(error), "path")
    return error
