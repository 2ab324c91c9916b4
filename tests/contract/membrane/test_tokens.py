"""Who may ask, and what they then see."""

import base64
import hashlib
import hmac
import json
from typing import Any

import jwt
import pytest
from Cryptodome.PublicKey import ECC, RSA

from sojourn.domain.ids import OrgId, uuid7
from sojourn.domain.overlay import Overlay
from sojourn.service.changes import SessionChange
from sojourn.service.sessions import NewSession
from tests.contract.membrane.requirements import covers
from tests.contract.membrane.surface import SECRET, WORKSPACE, Membrane, absent, of
from tests.support.world import SOMEBODY
from tests.worker.family import children, do_all, make_agents, run, script, work_alone


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@covers("auth.claims", "tenant.all")
@pytest.mark.parametrize(
    ("claims", "tenant"),
    [
        ({"workspaceKey": WORKSPACE, "tenantKey": "t", "name": "T", "fields": {}}, "t"),
        ({"iss": WORKSPACE, "id": "t", "name": "T", "fields": {"a": 1}}, "t"),
        ({"iss": WORKSPACE, "id": 5}, "5"),
        ({"workspaceKey": WORKSPACE}, None),
        ({"iss": WORKSPACE}, None),
        ({"iss": WORKSPACE, "id": "t", "isAdmin": 0, "iat": 9e12, "aud": "x", "sub": 5}, "t"),
    ],
)
async def test_both_spellings_of_the_claims_are_read(
    on_sqlite: Membrane, claims: dict[str, Any], tenant: str | None
) -> None:
    client = on_sqlite.with_token(on_sqlite.mint(claims))
    assert (await client.make()).get("tenantId") == tenant
    await on_sqlite.make("another tenant's")
    assert len(await client.ids()) == (2 if tenant is None else 1)


@covers("auth.algorithms")
@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_a_token_signed_with_the_secret_is_taken(on_sqlite: Membrane, algorithm: str) -> None:
    token = on_sqlite.mint({"workspaceKey": WORKSPACE}, algorithm=algorithm)
    assert (await on_sqlite.ask("GET", headers=bearer(token))).status_code == 200


@covers("auth.algorithms", "auth.refuses")
@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
async def test_a_token_signed_with_the_registered_keys_other_half_is_taken(
    on_sqlite: Membrane, algorithm: str
) -> None:
    is_curve = algorithm == "ES256"
    if is_curve:
        curve = ECC.generate(curve="P-256")
        private, public = curve.export_key(format="PEM"), curve.public_key().export_key(format="PEM")
    else:
        modulus = RSA.generate(2048)
        private, public = modulus.export_key().decode(), modulus.public_key().export_key().decode()
    token = on_sqlite.mint({"workspaceKey": WORKSPACE}, str(private), algorithm)
    await on_sqlite.refused(401, "GET", headers=bearer(token))
    secrets = on_sqlite.world.services.secrets
    await secrets.put(on_sqlite.world.org, f"membrane/public-key/{WORKSPACE}", str(public))
    assert (await on_sqlite.ask("GET", headers=bearer(token))).status_code == 200
    head, body, signature = token.split(".")
    for other in (signature[:-4] + "AAAA", "", "AAAA"):
        await on_sqlite.refused(401, "GET", headers=bearer(f"{head}.{body}.{other}"))
    # The public key is no secret, so it must not count as one.
    now = on_sqlite.world.clock.now().timestamp()
    forged = signed_with(str(public), {"workspaceKey": WORKSPACE, "exp": now + 60})
    await on_sqlite.refused(401, "GET", headers=bearer(forged))


def signed_with(key: str, claims: dict[str, Any]) -> str:
    """An HMAC whose key is a public key's text, which no library would make."""
    signing = f"{segment({'alg': 'HS256', 'typ': 'JWT'})}.{segment(claims)}"
    digest = hmac.new(key.encode(), signing.encode(), hashlib.sha256).digest()
    return f"{signing}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def segment(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


@covers("auth.refuses", "error.body")
@pytest.mark.parametrize(
    ("claims", "seconds", "key"),
    [
        ({"workspaceKey": WORKSPACE}, 0, SECRET),
        ({"workspaceKey": WORKSPACE}, -1, SECRET),
        ({"workspaceKey": WORKSPACE}, 60, SECRET + "x"),
        ({"workspaceKey": "another"}, 60, SECRET),
        ({"workspaceKey": ""}, 60, SECRET),
        ({"workspaceKey": "a\0b"}, 60, SECRET),
        ({"workspaceKey": ["wk"]}, 60, SECRET),
        ({"workspaceKey": WORKSPACE, "tenantKey": ""}, 60, SECRET),
        ({"workspaceKey": WORKSPACE, "tenantKey": "\0"}, 60, SECRET),
        ({"workspaceKey": WORKSPACE, "tenantKey": {"a": 1}}, 60, SECRET),
        ({"workspaceKey": WORKSPACE, "nbf": 9e12}, 60, SECRET),
        ({"workspaceKey": WORKSPACE, "exp": "soon"}, 60, SECRET),
        ({"workspaceKey": WORKSPACE, "exp": True}, 60, SECRET),
        ({"workspaceKey": WORKSPACE, "exp": None}, 60, SECRET),
        ({}, 60, SECRET),
    ],
)
async def test_a_token_that_proves_nothing_is_refused(
    on_sqlite: Membrane, claims: dict[str, Any], seconds: float, key: str
) -> None:
    token = signed_with(key, {"exp": on_sqlite.world.clock.now().timestamp() + seconds, **claims})
    failure = await on_sqlite.refused(401, "GET", headers=bearer(token))
    assert (failure["type"], failure["key"]) == ("bad_request", "not_authenticated")


@covers("auth.refuses")
async def test_an_unsigned_token_or_none_is_refused(on_sqlite: Membrane) -> None:
    claims = {"workspaceKey": WORKSPACE, "exp": on_sqlite.world.clock.now().timestamp() + 60}
    good = on_sqlite.token
    unsigned = jwt.encode(claims, "", algorithm="none")
    bodies = (b"[]", b"5", b"\xff", b'{"workspaceKey":"wk","exp":' + b"[" * 5000)
    odd = [f"{good.split('.')[0]}.{base64.urlsafe_b64encode(one).decode()}.AAAA" for one in bodies]
    algs = ("None", "NONE", "hs256", "RS512", "", None, 5, ["HS256"], {"a": 1})
    odd += [f"{segment({'alg': alg})}.{segment(claims)}.AAAA" for alg in algs]
    for token in (
        unsigned,
        unsigned + "AAAA",
        good[:-2],
        f"{good}.x",
        "..",
        "a.b.c",
        "~.~.~",
        "x",
        *odd,
    ):
        await on_sqlite.refused(401, "GET", headers=bearer(token))
    for header in ("", "Bearer", "Bearer ", f"Basic {good}", good):
        await on_sqlite.refused(401, "GET", headers={"authorization": header})
    no_exp = signed_with(SECRET, {"workspaceKey": WORKSPACE})
    await on_sqlite.refused(401, "GET", headers=bearer(no_exp))


@covers("auth.pat", "tenant.all")
async def test_a_key_sees_every_session(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    await world.services.access.ensure_key(world.org, "given", "admin", "pat-a.b.c")
    issued = await world.services.access.issue_key(world.org, "issued", "member")
    acme, umbrella = await on_sqlite.make(), await on_sqlite.seen_as("umbrella").make()
    for token in ("pat-a.b.c", issued):
        client = on_sqlite.with_token(token)
        made = await client.make()
        assert "tenantId" not in made
        assert made["workspaceElementId"] == world.org.hex
        assert {acme["id"], umbrella["id"], made["id"]} <= set(await client.ids())
    worker = await world.services.access.issue_key(world.org, "reader", "reporter")
    failure = await on_sqlite.with_token(worker).refused(403, "POST", json={"prompt": "x"})
    assert (failure["type"], failure["key"]) == ("bad_request", "access_denied")
    await on_sqlite.refused(401, "GET", headers=bearer("pat-unknown"))


@covers("auth.pat", "shape.defaults")
async def test_a_key_of_an_organisation_with_a_workspace_has_that_workspace(on_sqlite: Membrane) -> None:
    world = on_sqlite.world
    await world.services.secrets.put(world.org, "membrane/default-workspace", WORKSPACE)
    issued = await world.services.access.issue_key(world.org, "issued", "member")
    assert (await on_sqlite.with_token(issued).make())["workspaceElementId"] == WORKSPACE


@covers("auth.query")
async def test_a_get_may_carry_its_token_in_the_query(on_sqlite: Membrane) -> None:
    id = (await on_sqlite.make())["id"]
    for path in ("", f"/{id}", f"/{id}/messages"):
        answer = await on_sqlite.http.get(f"/agent/sessions{path}", params={"token": on_sqlite.token})
        assert answer.status_code == 200
        refused = await on_sqlite.http.get(f"/agent/sessions{path}", params={"token": "x"})
        assert refused.status_code == 401
    posted = await on_sqlite.http.post(
        "/agent/sessions", params={"token": on_sqlite.token}, json={"prompt": "x"}
    )
    assert posted.status_code == 401


@covers("auth.cache")
async def test_a_token_that_was_taken_is_refused_once_it_is_over(on_sqlite: Membrane) -> None:
    token = on_sqlite.mint({"workspaceKey": WORKSPACE}, seconds=10)
    assert (await on_sqlite.ask("GET", headers=bearer(token))).status_code == 200
    on_sqlite.world.clock.advance(11)
    await on_sqlite.refused(401, "GET", headers=bearer(token))


def calls(id: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Every call that names a session."""
    return [
        ("GET", f"/{id}", {}),
        ("GET", f"/{id}", {"params": {"wait": "1"}}),
        ("PATCH", f"/{id}", {"json": {"title": "stolen"}}),
        ("POST", f"/{id}/message", {"json": {"input": "x"}}),
        ("POST", f"/{id}/interrupt", {}),
        ("PATCH", f"/{id}/stop", {}),
        ("GET", f"/{id}/messages", {}),
        ("GET", f"/{id}/events", {}),
    ]


@covers("tenant.isolated", "tenant.all")
async def test_another_tenants_session_is_not_there(membrane: Membrane) -> None:
    made = await membrane.make()
    umbrella = membrane.seen_as("umbrella")
    elsewhere = await membrane.world.new_session(NewSession())
    for id in (made["id"], elsewhere.hex):
        for method, path, request in calls(id):
            failure = await umbrella.refused(404, method, path, **request)
            assert failure["message"] == f"Agent session with id '{id}' not found"
    assert await umbrella.ids() == []
    assert await umbrella.ids(workspaceElementId="acme") == []
    assert await membrane.get(made["id"]) == made
    for all_seeing in (membrane.seen_as(), membrane.seen_as("umbrella", isAdmin=True)):
        assert set(await all_seeing.ids()) == {made["id"], elsewhere.hex}
        assert (await all_seeing.get(made["id"]))["tenantId"] == "acme"
    admins = await membrane.seen_as("umbrella", isAdmin=1).make()
    assert admins["tenantId"] == "umbrella"
    assert admins["id"] in await umbrella.ids()


async def test_a_session_that_a_tenants_agent_has_started_is_that_tenants(membrane: Membrane) -> None:
    world = membrane.world
    await make_agents(world)
    made = await membrane.make(script(run("hello")))
    await world.services.sessions.update(
        world.org,
        of(made["id"]),
        SessionChange(overlay=Overlay(model="sim/script", tools=("sessions",))),
        SOMEBODY,
    )
    await work_alone(world, of(made["id"]))
    await do_all(world)
    (child,) = await children(world, of(made["id"]))
    id = child.session.id.hex
    assert set(await membrane.ids()) == {made["id"], id}
    assert (await membrane.get(id))["tenantId"] == "acme"
    umbrella = membrane.seen_as("umbrella")
    assert await umbrella.ids() == []
    await umbrella.refused(404, "GET", f"/{id}")


@covers("org.isolated")
async def test_another_organisations_session_is_not_there(membrane: Membrane) -> None:
    world = membrane.world
    other = OrgId(uuid7())
    await world.services.access.ensure_org(other, "other")
    await world.services.agents.ensure_default(other)
    stranger = membrane.with_token(await world.services.access.issue_key(other, "k", "admin"))
    theirs = (await stranger.make())["id"]
    mine = (await membrane.make())["id"]
    for client, id in ((stranger, mine), (membrane.seen_as(), theirs)):
        assert id not in await client.ids()
        for method, path, request in calls(id):
            await client.refused(404, method, path, **request)
        await client.refused(404, "GET", f"/{absent()}")
