"""Create, read, update, delete."""

import asyncio
import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from sojourn.domain.session import SessionStatus
from tests.client.server import ServerProcess
from tests.contract.kodexa.requirements import covers
from tests.contract.kodexa.surface import Kodexa, absent, as_failure, as_session
from tests.support.world import SOMEBODY

# The body of the vendor's own example.
PLACEHOLDERS: dict[str, Any] = {
    "agentRuntimeId": "<string>",
    "changeSequence": 123,
    "createdOn": "2023-11-07T05:31:56Z",
    "expiresAt": "2023-11-07T05:31:56Z",
    "id": "<string>",
    "lastInvokedAt": "2023-11-07T05:31:56Z",
    "metadata": {},
    "organizationId": "<string>",
    "runtimeSessionId": "<string>",
    "status": "<string>",
    "updatedOn": "2023-11-07T05:31:56Z",
    "uuid": "<string>",
}
UNDASHED = "b09393d20e9545c99dc87e659cb937fc"
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@covers("create.placeholders", "create.other-id", "create.server-owned", "create.organization", "expiry.past")
async def test_the_vendors_own_example_makes_a_session_that_stays(kodexa: Kodexa) -> None:
    made = await kodexa.make(**PLACEHOLDERS)
    assert made["id"] != "<string>"
    assert made["changeSequence"] == 0
    assert made["createdOn"] == made["updatedOn"] == "2030-01-01T00:00:00.000Z"
    assert made["organizationId"] == str(kodexa.world.org)
    for field in ("agentRuntimeId", "runtimeSessionId", "status"):
        assert made[field] == "<string>"
    for field in ("expiresAt", "lastInvokedAt"):
        assert made[field] == "2023-11-07T05:31:56.000Z"
    kodexa.world.clock.advance(1_000_000)
    await kodexa.world.services.upkeep.tick()
    assert await kodexa.get(made["id"]) == made


@covers("create.placeholders")
async def test_the_vendors_curl_line_works_as_it_stands(server: ServerProcess, tmp_path: Path) -> None:
    seed = (Path(__file__).parent / "seed.curl").read_text(encoding="utf-8")
    command = seed.replace("https://platform.kodexa.ai", server.url).replace("<api-key>", server.key)
    (tmp_path / "seed.sh").write_text(command, encoding="utf-8")
    curl = await asyncio.create_subprocess_exec(
        "sh", str(tmp_path / "seed.sh"), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    out, _ = await curl.communicate()
    assert curl.returncode == 0
    made = as_session(json.loads(out))
    assert made["status"] == "<string>"


@covers("create.any-fields", "status.default", "read.shape")
async def test_a_session_may_be_made_of_nothing(kodexa: Kodexa) -> None:
    for body in (b"", b"{}", b'{"nobody":{"knows":["this"]},"metadata":null}'):
        answer = await kodexa.ask("POST", content=body)
        assert answer.status_code == 201
        made = as_session(answer.json())
        assert made["status"] == "ACTIVE"
        assert made["metadata"] == {}
        for field in ("agentRuntimeId", "runtimeSessionId", "expiresAt", "lastInvokedAt"):
            assert made[field] is None
        assert STAMP.fullmatch(made["createdOn"])


@covers("create.null-is-absent", "read.own-writes")
async def test_null_in_every_field_is_the_same_as_nothing(kodexa: Kodexa) -> None:
    nothing: dict[str, None] = dict.fromkeys([*PLACEHOLDERS, "ref"])
    made = await kodexa.make(**nothing)
    assert made["status"] == "ACTIVE"
    assert await kodexa.get(made["id"]) == made


@covers("create.id")
async def test_a_free_uuid_is_kept_and_a_taken_one_is_a_conflict(kodexa: Kodexa) -> None:
    id = str(uuid4())
    made = await kodexa.make(id=id.upper(), status="FIRST")
    assert made["id"] == id
    await kodexa.refused(409, "POST", json={"id": id, "status": "SECOND"})
    assert (await kodexa.get(id))["status"] == "FIRST"
    await kodexa.ask("DELETE", f"/{id}")
    await kodexa.refused(409, "POST", json={"id": id})


@covers("create.other-id", "create.server-owned")
@pytest.mark.parametrize("id", ["x", "", 5, True, ["a"], {"b": 1}, UNDASHED, f"urn:uuid:{UUID(UNDASHED)}"])
async def test_an_id_that_is_no_uuid_is_ignored_and_so_is_what_the_server_owns(
    kodexa: Kodexa, id: Any
) -> None:
    made = await kodexa.make(
        id=id, uuid=[], changeSequence="many", createdOn=0, updatedOn="soon", organizationId=7
    )
    assert made["id"] != id
    assert made["changeSequence"] == 0


@covers("create.repeat")
async def test_a_create_with_an_idempotency_key_is_made_once(kodexa: Kodexa) -> None:
    headers = {"idempotency-key": "once"}
    first, second = [await kodexa.ask("POST", json={"status": "A"}, headers=headers) for _ in range(2)]
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    await kodexa.refused(409, "POST", json={"status": "B"}, headers=headers)
    assert (await kodexa.page())["totalElements"] == 1


async def test_texts_come_back_as_they_were_whatever_they_hold(kodexa: Kodexa) -> None:
    text = "näme \U0001f9ed ' \" \\ \n\t --; DROP TABLE sessions" + "x" * 5000
    metadata = {text: [1, 2.5, -0.0, 10**30, None, True, {"": text}]}
    made = await kodexa.make(status=text, agentRuntimeId=text, runtimeSessionId=text, metadata=metadata)
    read = await kodexa.get(made["id"])
    assert (read["status"], read["agentRuntimeId"], read["runtimeSessionId"]) == (text, text, text)
    assert read["metadata"] == metadata
    assert await kodexa.put(read["id"], read) | {"changeSequence": 0} == read


@covers("read.malformed-id", "delete.gone")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_an_id_of_nothing_is_not_found(kodexa: Kodexa, method: str) -> None:
    made = await kodexa.make()
    for id in (
        absent(),
        "x",
        "a%2Fb",
        "%00",
        made["id"].replace("-", ""),
        f"session_{made['id']}",
        "x" * 5000,
    ):
        await kodexa.refused(404, method, f"/{id}", json={} if method == "PUT" else None)


@covers("update.sequence", "update.stale", "update.immutable")
async def test_an_update_needs_the_sequence_that_was_last_read(kodexa: Kodexa) -> None:
    made = await kodexa.make(runtimeSessionId="r", metadata={"n": 1})
    kodexa.world.clock.advance(1.5)
    other = {
        "id": absent(),
        "uuid": absent(),
        "createdOn": "2020-01-01T00:00:00Z",
        "organizationId": absent(),
    }
    updated = await kodexa.put(made["id"], made | other | {"status": "IDLE", "metadata": {"n": 2}})
    assert updated == made | {
        "changeSequence": 1,
        "status": "IDLE",
        "metadata": {"n": 2},
        "updatedOn": "2030-01-01T00:00:01.500Z",
    }
    for sequence in (0, 2, -1, 10**30):
        failure = await kodexa.refused(409, "PUT", f"/{made['id']}", json=made | {"changeSequence": sequence})
        assert "revision 1" in failure["message"]
    assert await kodexa.get(made["id"]) == updated


@covers("update.no-sequence")
async def test_an_update_without_a_sequence_is_taken(kodexa: Kodexa) -> None:
    made = await kodexa.make()
    for number, body in enumerate(({"status": "A"}, {"status": "B", "changeSequence": None}), 1):
        updated = await kodexa.put(made["id"], body)
        assert (updated["changeSequence"], updated["status"]) == (number, body["status"])


async def test_of_many_updates_at_once_with_one_sequence_one_is_taken(kodexa: Kodexa) -> None:
    made = await kodexa.make()
    answers = await asyncio.gather(
        *(kodexa.ask("PUT", f"/{made['id']}", json=made | {"status": str(n)}) for n in range(12))
    )
    taken = [answer.json()["status"] for answer in answers if answer.status_code == 200]
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 11
    read = await kodexa.get(made["id"])
    assert ([read["status"]], read["changeSequence"]) == (taken, 1)


@covers("update.whole", "update.status-stays", "expiry.none")
async def test_an_update_replaces_all_but_a_status_that_it_leaves_out(kodexa: Kodexa) -> None:
    soon = "2031-01-01T00:00:00.000Z"
    made = await kodexa.make(
        agentRuntimeId="a",
        runtimeSessionId="r",
        status="MINE",
        metadata={"a": 1},
        expiresAt=soon,
        lastInvokedAt="2029-12-31T00:00:00.000Z",
    )
    emptied = await kodexa.put(made["id"], {"expiresAt": None})
    assert emptied == made | {
        "changeSequence": 1,
        "agentRuntimeId": None,
        "runtimeSessionId": None,
        "metadata": {},
        "expiresAt": None,
        "lastInvokedAt": None,
    }
    assert (await kodexa.record(made["id"])).session.policy.expires_at is None


@covers("update.counts-puts")
async def test_turns_and_expiries_do_not_count_as_updates(kodexa: Kodexa) -> None:
    world = kodexa.world
    expires_at = (world.clock.now() + timedelta(seconds=60)).isoformat()
    made = await kodexa.make(expiresAt=expires_at)
    session = (await kodexa.record(made["id"])).session.id
    await world.send(session)
    await world.services.turns.settle(await world.claim(session), [])
    world.clock.advance(61)
    await world.services.upkeep.tick()
    read = await kodexa.get(made["id"])
    assert (read["status"], read["changeSequence"]) == ("EXPIRED", 0)


@covers("expiry.extended")
async def test_an_extended_session_shows_what_was_written_and_a_put_of_it_takes_nothing_back(
    kodexa: Kodexa,
) -> None:
    world = kodexa.world
    expires_at = world.clock.now() + timedelta(seconds=60)
    made = await kodexa.make(expiresAt=expires_at.isoformat())
    session, later = (await kodexa.record(made["id"])).session.id, expires_at + timedelta(seconds=60)
    await world.services.lifetimes.extend(world.org, session, later, SOMEBODY)
    read = await kodexa.get(made["id"])
    assert read["expiresAt"] == made["expiresAt"]
    await kodexa.put(made["id"], read)
    assert (await kodexa.record(made["id"])).expires_at == later
    world.clock.advance(61)
    await world.services.upkeep.tick()
    assert (await kodexa.get(made["id"]))["status"] == "ACTIVE"
    world.clock.advance(60)
    await world.services.upkeep.tick()
    assert (await kodexa.get(made["id"]))["status"] == "EXPIRED"
    await world.services.lifetimes.reopen(world.org, session, SOMEBODY)
    again = await kodexa.get(made["id"])
    assert (again["status"], again["expiresAt"]) == ("ACTIVE", made["expiresAt"])
    assert (await kodexa.record(made["id"])).expires_at is None


@covers("update.no-patch")
async def test_there_is_no_patch_and_no_put_of_the_collection(kodexa: Kodexa) -> None:
    made = await kodexa.make()
    for method, path in (
        ("PATCH", f"/{made['id']}"),
        ("POST", f"/{made['id']}"),
        ("PUT", ""),
        ("DELETE", ""),
    ):
        answer = await kodexa.ask(method, path, json={})
        as_failure(answer, 405)
        assert "GET" in answer.headers["allow"]


@covers("delete.gone")
async def test_a_deleted_session_is_gone_everywhere(kodexa: Kodexa) -> None:
    made, kept = await kodexa.make(runtimeSessionId="same"), await kodexa.make(runtimeSessionId="same")
    answer = await kodexa.ask("DELETE", f"/{made['id']}")
    assert (answer.status_code, answer.content) == (204, b"")
    await kodexa.refused(404, "DELETE", f"/{made['id']}")
    await kodexa.refused(404, "PUT", f"/{made['id']}", json=made)
    assert [session["id"] for session in (await kodexa.page())["content"]] == [kept["id"]]
    assert await kodexa.world.problems() == []


@covers("shared.natively")
async def test_a_session_of_either_surface_is_the_other_ones_too(kodexa: Kodexa) -> None:
    native = {"authorization": f"Bearer {kodexa.token}"}
    made = await kodexa.make(metadata={"case": "7"})
    read = (await kodexa.http.get(f"/sojourn/v1/sessions/{made['id']}", headers=native)).json()
    assert (read["origin"], read["metadata"], read["revision"]) == ("kodexa", {"case": "7"}, 0)
    ended = await kodexa.http.post(
        f"/sojourn/v1/sessions/{made['id']}/end", json={"status": "failed"}, headers=native
    )
    assert ended.status_code == 200
    assert (await kodexa.get(made["id"]))["status"] == "FAILED"
    other = await kodexa.http.post("/sojourn/v1/sessions", json={"metadata": {"n": 1}}, headers=native)
    found = await kodexa.get(other.json()["id"])
    assert (found["status"], found["metadata"]) == ("PENDING", {"n": 1})
    updated = await kodexa.put(found["id"], found | {"status": "TERMINATED"})
    record = await kodexa.record(updated["id"])
    assert record.session.status is SessionStatus.COMPLETED
    assert datetime.fromisoformat(updated["createdOn"]) == record.session.created_at
