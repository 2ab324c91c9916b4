"""Keys by command: made, shown once, listed with their limits, and revoked."""

import pytest

from sojourn.client import Client, Forbidden, Unauthenticated
from tests.cli.command import run
from tests.client.server import ServerProcess


async def test_a_key_is_shown_once_lets_its_holder_in_and_nobody_once_it_is_revoked(
    server: ServerProcess,
) -> None:
    where = ("--data-dir", server.data_dir)
    made = await run("keys", "add", "reader", "--role", "reporter", *where)
    token = made.out.strip()
    async with Client(server.url, token) as client:
        assert (await client.me()).role == "reporter"
        with pytest.raises(Forbidden):
            await client.create_session()
        listed = await run("keys", "list", "--json", *where)
        assert token not in listed.out
        (key,) = [key for key in listed.objects if key["name"] == "reader"]
        assert (key["role"], key["revoked_at"]) == ("reporter", None)
        revoked = await run("keys", "revoke", key["id"], *where)
        assert revoked.out == f"{key['id']} is revoked\n"
        with pytest.raises(Unauthenticated):
            await client.me()
    lines = (await run("keys", "list", *where)).out.splitlines()
    assert f"{key['id']}  reporter  revoked  reader" in lines


async def test_the_limits_of_a_workers_key_are_listed_and_no_other_key_has_any(server: ServerProcess) -> None:
    where = ("--data-dir", server.data_dir)
    limits = ("--runner", "model", "--runner", "acp", "--pool", "gpu", "--secret", "acme")
    (made,) = (await run("keys", "add", "desk", "--role", "worker", *limits, "--json", *where)).objects
    assert made["limits"] == {"runners": ["model", "acp"], "pools": ["gpu"], "agents": []}
    lines = (await run("keys", "list", *where)).out.splitlines()
    assert f"{made['id']}  worker    in use   desk  only model, acp, gpu  given secret://acme" in lines
    refused = await run("keys", "add", "other", "--pool", "gpu", *where)
    assert refused.status == 1
    assert "worker" in refused.err
    assert "other" not in (await run("keys", "list", *where)).out
    forbidden = await run("keys", "list", "--url", server.url, "--key", made["token"])
    assert (forbidden.status, forbidden.out) == (1, "")
