from dataclasses import replace

import pytest

from sojourn.domain.errors import Unauthenticated
from sojourn.domain.ids import OrgId, uuid7
from sojourn.service import access
from sojourn.service.access import Access, hash_token
from tests.support.world import World


async def test_an_issued_token_opens_and_only_its_hash_is_kept(world: World) -> None:
    token = await world.services.access.issue_key(world.org, "first", "member")
    principal = await world.services.access.authenticate(token)
    assert (principal.org, principal.role) == (world.org, "member")
    ((stored,),) = world.database.query("SELECT token_hash FROM keys")
    assert bytes(stored) == hash_token(token)
    assert all(token not in str(row) for row in world.database.query("SELECT * FROM keys"))


@pytest.mark.parametrize("token", ["", "sj_guess", "\ud800", "\0"])
async def test_what_is_no_token_opens_nothing(world: World, token: str) -> None:
    with pytest.raises(Unauthenticated):
        await world.services.access.authenticate(token)


async def test_a_token_is_of_its_own_organisation(world: World) -> None:
    other = OrgId(uuid7())
    await world.services.access.ensure_org(other, "other")
    token = await world.services.access.issue_key(other, "first", "admin")
    assert (await world.services.access.authenticate(token)).org == other


async def test_a_given_token_is_taken_once_however_often_the_process_starts(world: World) -> None:
    for _ in range(2):
        await world.services.access.ensure_key(world.org, "bootstrap", "admin", "a given token")
    assert len(world.database.query("SELECT 1 FROM keys")) == 1
    assert (await world.services.access.authenticate("a given token")).role == "admin"


async def test_a_revoked_token_opens_nothing_once_the_memory_of_it_has_passed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "CACHE_SECONDS", 0.0)
    door = Access(world.store, world.clock)
    token = await door.issue_key(world.org, "first", "admin")
    await door.authenticate(token)
    key = await world.store.reads.find_key(hash_token(token))
    assert key is not None
    revoked = replace(key, revoked_at=world.clock.now())
    await world.store.write(lambda tx: tx.write_key(revoked))
    with pytest.raises(Unauthenticated):
        await door.authenticate(token)
