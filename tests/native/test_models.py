"""Providers, models and secrets over HTTP, and turns that ask what is stored."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from pathlib import Path
from typing import Any
from uuid import UUID

import httpx
import pytest

from sojourn.domain.ids import OrgId, SessionId
from sojourn.domain.log import StoredEvent
from tests.native.asserting import problem, value
from tests.runners.model import chat
from tests.runners.model.loopback import LoopbackProvider, loopback_provider
from tests.web.served import BOUND_SECONDS, Served, open_served

KEY = "sk-very-secret"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path, private_agents=True) as served:
        yield served


async def test_a_turn_asks_the_stored_provider_with_the_stored_key_and_settings(served: Served) -> None:
    client = served.client
    async with loopback_provider(chat.answer("stored ", "answer")) as provider:
        value(await client.put("/secrets/acme", json={"value": KEY}))
        await store_provider(client, provider, "secret://acme")
        model = {
            "provider": "acme",
            "model": "large",
            "settings": {"temperature": 0.25, "max_tokens": 64},
            "prices": {"input_usd": "2", "output_usd": "10"},
        }
        value(await client.put("/models/fast", json=model))
        session = await answered(served, "fast")
    assert session["usage"]["cost_usd"] == "0.000092"
    [seen] = provider.seen
    assert seen.headers["authorization"] == f"Bearer {KEY}"
    assert (seen.body["model"], seen.body["temperature"]) == ("large", 0.25)
    assert 64 in (seen.body.get("max_tokens"), seen.body.get("max_completion_tokens"))
    log = await client.get(f"/sessions/{session['id']}/events")
    assert "stored answer" in log.text
    assert KEY not in log.text


async def test_a_changed_provider_is_asked_from_the_next_call_on(served: Served) -> None:
    client = served.client
    async with (
        loopback_provider(chat.answer("first")) as first,
        loopback_provider(chat.answer("second")) as second,
    ):
        await store_provider(client, first)
        assert "first" in await said(served, "acme/small")
        await store_provider(client, second)
        assert "second" in await said(served, "acme/small")


async def test_a_model_that_nobody_has_stored_fails_its_turn_clearly(served: Served) -> None:
    assert "There is no model fast" in await said(served, "fast")


async def test_a_provider_whose_key_is_gone_fails_its_turn_clearly(served: Served) -> None:
    async with loopback_provider(chat.answer("never")) as provider:
        await store_provider(served.client, provider, "secret://gone")
        assert "There is no secret secret://gone" in await said(served, "acme/small")
    assert not provider.seen


async def test_no_key_of_the_server_is_sent_to_an_address_that_a_client_has_chosen(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    async with loopback_provider(chat.answer("fine")) as provider:
        await store_provider(served.client, provider)
        await said(served, "acme/small")
        refused = await served.client.put(
            "/providers/other", json={"kind": "openai", "base_url": provider.base_url}
        )
    problem(refused, 422, "invalid_request", "api_key")
    [seen] = provider.seen
    assert KEY not in json.dumps(seen.headers)


async def test_another_organisation_neither_sees_nor_asks_what_is_stored(served: Served) -> None:
    async with loopback_provider(chat.answer("never")) as provider, await served.other_org() as other:
        value(await served.client.put("/secrets/acme", json={"value": KEY}))
        await store_provider(served.client, provider, "secret://acme")
        value(await served.client.put("/models/fast", json={"provider": "acme", "model": "large"}))
        for place in ("/secrets", "/providers", "/models"):
            assert value(await other.get(place)) == {"data": []}
        problem(await other.get("/providers/acme"), 404, "not_found")
        assert "There is no model fast" in await said(served, "fast", other)
        await said(served, "acme/large", other)
    assert not provider.seen


async def test_private_addresses_are_refused_unless_the_server_allows_them(tmp_path: Path) -> None:
    async with open_served(tmp_path) as served:
        given = {"kind": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}
        problem(await served.client.put("/providers/acme", json=given), 422, "invalid_request", "base_url")


async def test_a_secret_is_listed_by_name_and_replaced_and_its_value_never_shown(served: Served) -> None:
    client = served.client
    made = value(await client.put("/secrets/acme", json={"value": KEY}))
    value(await client.put("/secrets/acme", json={"value": "another"}))
    assert value(await client.get("/secrets"))["data"][0]["name"] == made["name"] == "acme"
    assert KEY not in (await client.get("/secrets/acme")).text
    assert (await client.delete("/secrets/acme")).status_code == 204
    problem(await client.delete("/secrets/acme"), 404, "not_found")


async def test_a_provider_goes_after_its_models(served: Served) -> None:
    client = served.client
    given = {"kind": "openai-compatible", "base_url": "http://127.0.0.1:9/v1"}
    value(await client.put("/providers/acme", json=given))
    value(await client.put("/models/fast", json={"provider": "acme", "model": "large"}))
    problem(await client.delete("/providers/acme"), 409, "wrong_state")
    assert (await client.delete("/models/fast")).status_code == 204
    assert (await client.delete("/providers/acme")).status_code == 204
    problem(await client.get("/providers/acme"), 404, "not_found")


@pytest.mark.parametrize(
    ("place", "body", "field"),
    [
        ("/providers/sim", {"kind": "openai-compatible", "base_url": "http://127.0.0.1:9"}, "provider"),
        ("/providers/a", {"kind": "openai-compatible"}, "base_url"),
        ("/providers/a", {"kind": "anthropic"}, "api_key"),
        ("/providers/a", {"kind": "anthropic", "api_key": KEY}, "api_key"),
        ("/providers/a", {"kind": "anthropic", "api_key": "env:PATH"}, "api_key"),
        ("/providers/a", {"kind": "other"}, "kind"),
        ("/providers/a%20b", {"kind": "anthropic", "api_key": "secret://a"}, "provider"),
        ("/models/a", {"provider": "x"}, "model"),
        ("/models/a", {"provider": "x", "model": "y", "settings": {"temperature": 3}}, "temperature"),
        ("/models/a", {"provider": "x", "model": "y", "prices": {"input_usd": "1"}}, "output_usd"),
        ("/models/a:b", {"provider": "x", "model": "y"}, "model"),
        ("/secrets/a", {"value": ""}, "value"),
        ("/secrets/a%2Fb", {"value": "x"}, "secret"),
    ],
)
async def test_what_could_not_be_used_is_refused_and_repeats_no_secret(
    served: Served, place: str, body: dict[str, Any], field: str
) -> None:
    refused = await served.client.put(place, json=body)
    assert refused.status_code in (404, 422)
    assert refused.status_code == 404 or field in refused.text
    assert KEY not in refused.text
    for plural in ("/secrets", "/providers", "/models"):
        assert value(await served.client.get(plural)) == {"data": []}


async def test_who_is_no_administrator_uses_models_and_sees_no_secret(served: Served) -> None:
    async with await served.other_role("member") as member:
        assert value(await member.get("/models")) == {"data": []}
        problem(await member.put("/models/a", json={"provider": "x", "model": "y"}), 403, "forbidden")
        problem(await member.get("/secrets"), 403, "forbidden")


async def store_provider(
    client: httpx.AsyncClient, provider: LoopbackProvider, api_key: str | None = None
) -> None:
    given = {"kind": "openai-compatible", "base_url": f"{provider.base_url}/v1", "api_key": api_key}
    stored = value(await client.put("/providers/acme", json=given))
    assert stored["api_key"] == api_key


async def answered(served: Served, model: str, client: httpx.AsyncClient | None = None) -> dict[str, Any]:
    """The session of one turn with that model, once the turn is over."""
    client = client or served.client
    session = value(await client.post("/sessions", json={"overlay": {"model": model}}), 201)
    place = f"/sessions/{session['id']}"
    value(await client.post(f"{place}/inputs", json={"content": "hello"}), 202)
    org, id = OrgId(UUID(value(await client.get("/me"))["org"])), SessionId(UUID(session["id"]))
    async with (
        asyncio.timeout(BOUND_SECONDS),
        aclosing(await served.services.feed.follow(org, id, 0)) as items,
    ):
        async for item in items:
            if isinstance(item, StoredEvent) and item.type in ("turn.completed", "turn.failed"):
                break
    return value(await client.get(place))


async def said(served: Served, model: str, client: httpx.AsyncClient | None = None) -> str:
    """The log of that session."""
    session = await answered(served, model, client)
    return (await (client or served.client).get(f"/sessions/{session['id']}/events")).text
