"""Exports and imports over HTTP."""

import json

import httpx
import pytest

from sojourn.domain.export import hashed
from sojourn.domain.verifier import Verifier
from sojourn.web.native import exports
from tests.native.asserting import NOWHERE, new_input, new_session, problem, value
from tests.web.served import Served


def verify(body: bytes) -> Verifier:
    verifier = Verifier()
    for line in body.splitlines(keepends=True):
        verifier.take(line)
    verifier.end()
    return verifier


async def test_a_session_is_exported_as_lines_that_verify(client: httpx.AsyncClient) -> None:
    files = [{"path": "a", "content": "one"}]
    session = await new_session(client, title="t", metadata={"k": 2**63}, tags=["x"], files=files)
    await new_input(client, session["id"], "hello " * 10_000)
    answer = await client.get(f"/sessions/{session['id']}/export")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    assert answer.headers["content-disposition"] == f'attachment; filename="{session["id"]}.jsonl"'
    verifier = verify(answer.content)
    assert verifier.header is not None
    said = verifier.header.session
    assert (said["id"], said["title"], said["tags"]) == (session["id"], "t", ["x"])
    assert said["metadata"] == {"k": 2**63}
    assert (verifier.header.first_seq, verifier.header.last_seq) == (1, 4)
    assert verifier.trailer is not None
    assert verifier.trailer.blobs == 1
    bare = await client.get(f"/sessions/{session['id']}/export", params={"files": "false"})
    assert len(bare.content.splitlines()) == len(answer.content.splitlines()) - 1
    assert verify(bare.content).head == verifier.head


async def test_another_organisation_cannot_export_a_session(served: Served) -> None:
    session = await new_session(served.client)
    async with await served.other_org() as other:
        problem(await other.get(f"/sessions/{session['id']}/export"), 404, "not_found")
    problem(await served.client.get(f"/sessions/{NOWHERE}/export"), 404, "not_found")


async def test_an_exported_session_is_imported_once_and_keeps_its_chain(client: httpx.AsyncClient) -> None:
    files = [{"path": "a", "content": "one"}]
    session = await new_session(
        client, title="t", metadata={"k": 2**63}, tags=["x"], files=files, policy={"max_turn_seconds": 60}
    )
    await new_input(client, session["id"], "hello")
    exported = (await client.get(f"/sessions/{session['id']}/export")).content
    key = {"idempotency-key": "once"}
    made = value(await client.post("/sessions/import", content=exported, headers=key), 201)
    again = await client.post("/sessions/import", content=exported, headers=key)
    assert again.headers["idempotent-replayed"] == "true"
    assert value(again, 201) == made
    assert made["id"] != session["id"]
    same = ("title", "metadata", "tags", "policy", "agent")
    assert [made[name] for name in same] == [session[name] for name in same]
    assert (made["status"], made["activity"], made["usage"]["input_tokens"]) == ("open", "idle", 0)
    verifier = verify((await client.get(f"/sessions/{made['id']}/export")).content)
    assert verifier.header is not None
    told = value(await client.get(f"/sessions/{made['id']}/events", params={"type": "session.imported"}))
    [event] = told["data"]
    assert (event["data"]["origin"], event["data"]["head"]) == (session["id"], verify(exported).head)
    other = await client.post("/sessions/import", content=exported, headers=key, params={"id": "new"})
    problem(other, 409, "idempotency_mismatch")


async def test_a_session_whose_id_is_free_keeps_it(served: Served) -> None:
    session = await new_session(served.client)
    exported = (await served.client.get(f"/sessions/{session['id']}/export")).content
    async with await served.other_org() as other:
        made = value(await other.post("/sessions/import", content=exported), 201)
        assert made["id"] == session["id"]
        fresh = value(await other.post("/sessions/import", content=exported, params={"id": "new"}), 201)
        assert fresh["id"] != session["id"]
        missing = await other.post("/sessions/import", content=exported, params={"agent": "nobody"})
        problem(missing, 422, "invalid_request", "agent")


async def test_a_file_that_came_to_harm_is_refused_with_its_line(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = served.client
    session = await new_session(client)
    exported = (await client.get(f"/sessions/{session['id']}/export")).content
    lines = exported.splitlines(keepends=True)
    for body, line in (
        (b"", 1),
        (b"{}\n", 1),
        (b"".join(lines[:-1]), len(lines)),
        (exported.replace(b'"v":', b'"v": '), 2),
        (exported + b"\n", len(lines) + 1),
    ):
        problem(await client.post("/sessions/import", content=body), 422, "invalid_request", f"line {line}")
    header = json.loads(lines[0])
    header["session"]["tags"] = "x"
    del header["hash"]
    first, digest = hashed(header)
    trailer = json.loads(lines[-1]) | {"header": digest}
    del trailer["hash"]
    forged = b"".join((first, *lines[1:-1], hashed(trailer)[0]))
    problem(await client.post("/sessions/import", content=forged), 422, "invalid_request", "line 1")
    monkeypatch.setattr(exports, "IMPORT_LIMIT", len(exported) - 1)
    problem(await client.post("/sessions/import", content=exported), 413, "body_too_large")
    assert len(value(await client.get("/sessions"))["data"]) == 1
