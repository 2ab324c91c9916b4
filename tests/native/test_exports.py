"""Exports over HTTP."""

import httpx

from sojourn.domain.verifier import Verifier
from tests.native.asserting import NOWHERE, new_input, new_session, problem
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
