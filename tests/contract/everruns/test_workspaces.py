import base64
import json
from typing import Any

import pytest

from sojourn.domain.ids import SessionId
from sojourn.service.sessions import NewSession
from tests.contract.everruns.requirements import covers
from tests.contract.everruns.sdk import Sdk
from tests.contract.everruns.surface import SOMEBODY, Everruns, Json, absent, id_of
from tests.contract.everruns.waits import turn_over

INFO = {
    "id",
    "session_id",
    "path",
    "name",
    "is_directory",
    "is_readonly",
    "size_bytes",
    "created_at",
    "updated_at",
}


def place(session: SessionId) -> str:
    return f"/workspaces/{id_of('wsp', session)}"


def as_file(value: Any) -> Json:
    assert set(value) >= INFO | {"encoding"}
    assert None not in value.values()
    return value


async def create(everruns: Everruns, session: SessionId, path: str, content: str = "", **said: Any) -> Json:
    body = {"content": content} | said
    answer = await everruns.ask("POST", f"{place(session)}/fs/{path}", json=body)
    assert answer.status_code == 201, answer.text
    return as_file(answer.json())


async def paths(everruns: Everruns, session: SessionId, path: str = "", **query: str) -> list[str]:
    listed = await everruns.read(f"{place(session)}/fs{path}", params=query)
    assert all(set(each) == INFO for each in listed["data"])
    return [each["path"] for each in listed["data"]]


@covers("workspace.of-session", "workspace.list")
async def test_every_session_has_a_workspace(everruns: Everruns) -> None:
    session = await everruns.native(NewSession(title="Research"))
    other = await everruns.native()
    assert (await everruns.read(f"/sessions/{id_of('session', session)}"))["workspace_id"] == id_of(
        "wsp", session
    )
    workspace = await everruns.read(place(session))
    assert (workspace["name"], workspace["status"]) == ("Research", "active")
    assert {"id", "name", "status", "created_at", "updated_at"} <= set(workspace)
    listed = (await everruns.read("/workspaces"))["data"]
    assert [each["id"] for each in listed] == [id_of("wsp", other), id_of("wsp", session)]
    assert (await everruns.read("/workspaces", params={"search": "rESEA"}))["data"] == [workspace]
    await everruns.services.sessions.archive(everruns.org, session, True, SOMEBODY)
    archived = await everruns.read(place(session))
    assert archived["status"] == "archived"
    assert len((await everruns.read("/workspaces"))["data"]) == 1
    assert archived in (await everruns.read("/workspaces", params={"include_archived": "true"}))["data"]
    problem = await everruns.refused(404, "GET", f"/workspaces/{absent('wsp')}")
    assert problem["code"] == "workspace_not_found"
    await everruns.refused(400, "GET", "/workspaces/x")


@covers("workspace.standalone", "workspace.change")
async def test_a_workspace_is_its_sessions(everruns: Everruns) -> None:
    problem = await everruns.refused(400, "POST", "/workspaces", json={"name": "x"})
    assert problem["code"] == "workspaces_not_supported"
    session = await everruns.native()
    for method in ("PATCH", "DELETE"):
        problem = await everruns.refused(409, method, place(session), content=b'{"name": "x"}')
        assert problem["code"] == "workspace_of_session"
        await everruns.refused(404, method, f"/workspaces/{absent('wsp')}", content=b"{}")


@covers("file.create", "file.read")
async def test_a_file_is_made_once_and_read_as_it_is(everruns: Everruns) -> None:
    session = await everruns.native()
    made = await create(everruns, session, "notes/a.md", "H\u00e9llo")
    assert (made["path"], made["name"], made["size_bytes"]) == ("/notes/a.md", "a.md", 6)
    assert (made["content"], made["encoding"], made["session_id"]) == ("H\u00e9llo", "text", str(session))
    assert await everruns.read(f"{place(session)}/fs/notes/a.md") == made
    blob = base64.b64encode(b"\x00\xff").decode()
    binary = await create(everruns, session, "b.bin", blob, encoding="base64", is_readonly=True)
    assert (binary["content"], binary["encoding"], binary["is_readonly"]) == (blob, "base64", True)
    problem = await everruns.refused(409, "POST", f"{place(session)}/fs/b.bin", json={"content": ""})
    assert problem["code"] == "already_exists"
    directory = await create(everruns, session, "empty", is_directory=True)
    assert (directory["is_directory"], directory["size_bytes"]) == (True, 0)
    assert "content" not in directory
    await everruns.refused(409, "POST", f"{place(session)}/fs/notes", json={"is_directory": True})
    wrong = {"content": "?", "encoding": "base64"}
    await everruns.refused(400, "POST", f"{place(session)}/fs/c", json=wrong)
    await everruns.refused(400, "POST", f"{place(session)}/fs/c", json={"encoding": "rot13"})


@covers("file.event")
async def test_the_log_tells_what_was_written_and_no_directory(everruns: Everruns) -> None:
    session = await everruns.native()
    await create(everruns, session, "empty", is_directory=True)
    made = await create(everruns, session, "notes/a.md", "12345")
    (written,) = await everruns.events(id_of("session", session), types="file.written")
    assert written["data"] == {
        "path": made["path"],
        "size_bytes": 5,
        "operation": "write",
        "created": False,
    }


@covers("file.list", "file.read")
async def test_directories_list_what_is_in_them(everruns: Everruns) -> None:
    session = await everruns.native()
    for path in ("a", "d/b", "d/e/c"):
        await create(everruns, session, path)
    assert await paths(everruns, session) == ["/a", "/d"]
    assert await paths(everruns, session, "/") == ["/a", "/d"]
    assert await paths(everruns, session, recursive="true") == ["/a", "/d", "/d/b", "/d/e", "/d/e/c"]
    assert await paths(everruns, session, "/d") == ["/d/b", "/d/e"]
    assert await paths(everruns, session, "/d/", recursive="true") == ["/d/b", "/d/e", "/d/e/c"]
    await everruns.refused(404, "GET", f"{place(session)}/fs/nothing")
    await everruns.refused(400, "GET", f"{place(session)}/fs", params={"recursive": "x"})


@covers("file.update", "file.readonly")
async def test_a_file_is_changed_unless_it_is_read_only(everruns: Everruns) -> None:
    session = await everruns.native()
    await create(everruns, session, "a", "1")
    fs = f"{place(session)}/fs/a"

    async def put(status: int = 200, **body: Any) -> Json:
        answer = await everruns.ask("PUT", fs, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    assert (await put(content="2"))["content"] == "2"
    assert (await put(content="3", is_readonly=True))["is_readonly"]
    refused = await put(403, content="4")
    assert refused["code"] == "file_readonly"
    await everruns.refused(403, "DELETE", fs)
    move = {"src_path": "a", "dst_path": "b"}
    await everruns.refused(403, "POST", f"{place(session)}/fs/_/move", json=move)
    unlocked = await put(is_readonly=False)
    assert (unlocked["content"], unlocked["is_readonly"]) == ("3", False)
    assert (await put(content="NQ==", encoding="base64"))["content"] == "5"
    await put(is_readonly=True)
    assert (await put(content="6", is_readonly=False))["content"] == "6"
    await everruns.refused(404, "PUT", f"{place(session)}/fs/nothing", json={"content": ""})
    await create(everruns, session, "d", is_directory=True)
    await everruns.refused(400, "PUT", f"{place(session)}/fs/d", json={"content": ""})


@covers("file.delete")
async def test_a_delete_says_whether_anything_was_there(everruns: Everruns) -> None:
    session = await everruns.native()
    for path in ("a", "d/b"):
        await create(everruns, session, path)
    fs = f"{place(session)}/fs"
    for expected in (True, False):
        answer = await everruns.ask("DELETE", f"{fs}/a")
        assert (answer.status_code, answer.json()) == (200, {"deleted": expected})
    await everruns.refused(400, "DELETE", f"{fs}/d")
    answer = await everruns.ask("DELETE", f"{fs}/d", params={"recursive": "true"})
    assert answer.json() == {"deleted": True}
    assert await paths(everruns, session) == []
    await everruns.refused(404, "DELETE", f"/workspaces/{absent('wsp')}/fs/a")


@covers("file.move")
async def test_files_are_moved_and_copied_to_free_places(everruns: Everruns) -> None:
    session = await everruns.native()
    await create(everruns, session, "a", "text")
    await create(everruns, session, "taken")
    fs = f"{place(session)}/fs/_"

    async def go(verb: str, source: str, target: str, status: int) -> Json:
        answer = await everruns.ask("POST", f"{fs}/{verb}", json={"src_path": source, "dst_path": target})
        assert answer.status_code == status, answer.text
        return answer.json()

    copy = as_file(await go("copy", "/a", "/d/copy", 201))
    assert (copy["path"], copy["content"]) == ("/d/copy", "text")
    moved = as_file(await go("move", "a", "b", 200))
    assert (moved["path"], moved["content"]) == ("/b", "text")
    assert as_file(await go("move", "/d", "/e", 200))["is_directory"]
    for verb in ("move", "copy"):
        await go(verb, "nothing", "x", 404)
        await go(verb, "b", "taken", 409)
        await everruns.refused(400, "POST", f"{fs}/{verb}", json={"src_path": "b"})
    await go("copy", "e", "f", 400)
    assert await paths(everruns, session, recursive="true") == ["/b", "/e", "/e/copy", "/taken"]


@covers("file.grep", "file.stat", "file.download")
async def test_files_are_searched_described_and_downloaded(everruns: Everruns) -> None:
    session = await everruns.native()
    await create(everruns, session, "a.md", "one\ntwo\n")
    await create(everruns, session, "d/b.txt", "two two")
    fs = f"{place(session)}/fs/_"

    async def grep(**body: str) -> Any:
        answer = await everruns.ask("POST", f"{fs}/grep", json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()["data"]

    found = await grep(pattern="t.o")
    assert [each["path"] for each in found] == ["/a.md", "/d/b.txt"]
    assert found[0]["matches"] == [{"path": "/a.md", "line_number": 2, "line": "two"}]
    assert [each["path"] for each in await grep(pattern="t.o", path_pattern="/*.md")] == ["/a.md"]
    assert await grep(pattern="three") == []
    await everruns.refused(400, "POST", f"{fs}/grep", json={"pattern": "("})

    async def stat(path: str) -> Json:
        answer = await everruns.ask("POST", f"{fs}/stat", json={"path": path})
        assert answer.status_code == 200, answer.text
        return answer.json()

    described = await stat("/a.md")
    assert set(described) == INFO - {"id", "session_id"}
    assert (described["size_bytes"], described["is_directory"]) == (8, False)
    assert (await stat("d"))["is_directory"]
    assert (await stat("/"))["path"] == "/"
    await everruns.refused(404, "POST", f"{fs}/stat", json={"path": "nothing"})
    answer = await everruns.ask("GET", f"{fs}/download/a.md")
    assert (answer.status_code, answer.content) == (200, b"one\ntwo\n")
    assert answer.headers["content-disposition"] == "attachment"


@covers("file.reserved", "file.paths")
@pytest.mark.parametrize("path", ["_x", "_/x", "_/move/y", "%5Fx"])
async def test_reserved_paths_are_refused(everruns: Everruns, path: str) -> None:
    session = await everruns.native()
    for method in ("POST", "PUT"):
        await everruns.refused(400, method, f"{place(session)}/fs/{path}", json={"content": ""})
    await create(everruns, session, "a")
    for verb in ("move", "copy"):
        body = {"src_path": "a", "dst_path": "/_x"}
        await everruns.refused(400, "POST", f"{place(session)}/fs/_/{verb}", json=body)
    for wrong in ("a/%2e%2e/b", "%01", "x" * 501):
        await everruns.refused(400, "POST", f"{place(session)}/fs/{wrong}", json={"content": ""})


@covers("file.starter")
async def test_a_session_begins_with_its_starter_files(everruns: Everruns) -> None:
    files: list[Json] = [
        {"path": "/workspace/a.md", "content": "the agent's", "is_readonly": True},
        {"path": "b.bin", "content": "AAE=", "encoding": "base64"},
    ]
    agent = {"name": "clerk", "system_prompt": "", "initial_files": files}
    assert (await everruns.ask("POST", "/agents", json=agent)).status_code == 201
    own = {"agent_name": "clerk", "initial_files": [{"path": "/a.md", "content": "its own"}]}
    session = (await everruns.ask("POST", "/sessions", json=own)).json()
    fs = f"/workspaces/{session['workspace_id']}/fs"
    first = await everruns.read(f"{fs}/a.md")
    assert (first["content"], first["is_readonly"]) == ("its own", False)
    assert (await everruns.read(f"{fs}/b.bin"))["content"] == "AAE="
    called = (await everruns.ask("POST", "/channels/clerk/sessions", json={})).json()
    theirs = await everruns.read(f"/workspaces/{called['id'].replace('session', 'wsp')}/fs/a.md")
    assert (theirs["content"], theirs["is_readonly"]) == ("the agent's", True)
    for path in ("../a", "", "/workspace/", "x" * 501):
        wrong = agent | {"initial_files": [{"path": path, "content": ""}]}
        await everruns.refused(400, "POST", "/agents", json=wrong)
        wrong = {"initial_files": [{"path": path, "content": ""}]}
        await everruns.refused(400, "POST", "/sessions", json=wrong)


@covers("file.natively")
async def test_the_files_are_those_of_the_session(everruns: Everruns) -> None:
    session = await everruns.native()
    call = {"call": {"name": "write_file", "arguments": {"path": "made.txt", "content": "by the agent"}}}
    await everruns.send(session, json.dumps([call, {"say": "done"}]))
    await turn_over(everruns, session)
    assert (await everruns.read(f"{place(session)}/fs/made.txt"))["content"] == "by the agent"
    await create(everruns, session, "mine.txt", "by a client")
    files = await everruns.services.files.list(everruns.org, session)
    assert [file.path for file in files] == ["made.txt", "mine.txt"]
    await everruns.services.sessions.end(everruns.org, session, "completed", None, SOMEBODY)
    await everruns.refused(409, "POST", f"{place(session)}/fs/late", json={"content": ""})
    assert (await everruns.read(f"{place(session)}/fs/made.txt"))["content"] == "by the agent"


@covers("file.org")
async def test_files_are_their_organisations_and_a_workers_key_changes_none(everruns: Everruns) -> None:
    session = await everruns.native()
    await create(everruns, session, "a")
    fs, other, worker = f"{place(session)}/fs", await everruns.other_org(), await everruns.role("reporter")
    for method in ("GET", "PUT", "DELETE"):
        await other.refused(404, method, f"{fs}/a", content=b"{}")
    for path, body in (
        ("b", {}),
        ("_/move", {"src_path": "a", "dst_path": "b"}),
        ("_/grep", {"pattern": "x"}),
        ("_/stat", {"path": "a"}),
    ):
        await other.refused(404, "POST", f"{fs}/{path}", json=body)
    assert (await other.read("/workspaces"))["data"] == []
    await worker.read(f"{fs}/a")
    for method in ("POST", "PUT", "DELETE"):
        await worker.refused(403, method, f"{fs}/a", content=b"{}")


@covers("file.client")
async def test_the_vendors_client_works_with_files(everruns: Everruns, sdk: Sdk) -> None:
    session = await everruns.native(NewSession(title="Research"))
    lived = await sdk.lives("vendor_workspaces.py", id_of("wsp", session))
    assert lived["workspace"] == ["Research", "active"]
    assert lived["listed"] == [id_of("wsp", session)]
    assert lived["refused"] == [400, "workspaces_not_supported"]
    assert lived["made"] == ["/notes/a.md", "Hello", False]
    assert lived["directory"]
    assert lived["updated"] == ["Hello again", True]
    assert lived["readonly"] == [403, "file_readonly"]
    assert lived["root"] == ["/copy.md", "/empty", "/notes"]
    assert lived["everything"] == ["/copy.md", "/empty", "/notes", "/notes/b.md"]
    assert lived["grep"] == [["/copy.md", 1, "Hello again"], ["/notes/b.md", 1, "Hello again"]]
    assert lived["stat"] == ["b.md", 11]
    assert lived["deleted"] == [True, False, True]
    assert lived["exists"] == [409, "already_exists"]
