"""The organisation of a key over HTTP."""

import httpx

from tests.native.asserting import new_session, problem, value
from tests.web.served import Served


async def test_an_organisation_is_read_and_its_policy_is_that_of_new_sessions(
    client: httpx.AsyncClient,
) -> None:
    before = await new_session(client)
    shown = await client.get("/org")
    org = value(shown)
    assert shown.headers["etag"] == '"0"'
    assert (org["name"], org["policy"]["reopen"]) == ("default", None)
    change = {"policy": {"reopen": "never", "max_lifetime_seconds": 60}, "name": "Acme"}
    changed = value(await client.patch("/org", json=change, headers={"if-match": '"0"'}))
    assert (changed["name"], changed["policy"]["max_lifetime_seconds"], changed["revision"]) == (
        "Acme",
        60,
        1,
    )
    problem(await client.patch("/org", json={}, headers={"if-match": '"0"'}), 412, "revision_mismatch")
    session = await new_session(client, policy={"max_lifetime_seconds": 120})
    assert (session["policy"]["reopen"], session["policy"]["max_lifetime_seconds"]) == ("never", 120)
    kept = value(await client.get(f"/sessions/{before['id']}"))
    assert kept["policy"] == before["policy"]


async def test_only_an_administrator_changes_an_organisation(served: Served) -> None:
    for role in ("member", "reporter"):
        async with await served.other_role(role) as colleague:
            value(await colleague.get("/org"))
            problem(await colleague.patch("/org", json={"name": "x"}), 403, "forbidden")
