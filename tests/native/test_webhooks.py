"""Webhooks over HTTP: who may set them, and what is shown of them."""

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.web.served import Served, open_served

TYPE = "agent-session-finished"
URL = "https://93.184.216.34/hook"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncGenerator[Served]:
    async with open_served(tmp_path) as served:
        yield served


async def test_a_webhook_is_set_read_listed_and_deleted_and_its_secret_never_shown(served: Served) -> None:
    client = served.client
    made = await client.put(f"/webhooks/{TYPE}", json={"url": URL, "secret": "s3cret"})
    assert made.status_code == 200
    webhook = made.json()
    assert (webhook["type"], webhook["url"], webhook["signed"]) == (TYPE, URL, True)
    assert "s3cret" not in made.text
    assert (await client.get(f"/webhooks/{TYPE}")).json() == webhook
    assert (await client.get("/webhooks")).json() == {"data": [webhook]}
    replaced = (await client.put(f"/webhooks/{TYPE}", json={"url": URL})).json()
    assert replaced["signed"] is False
    assert (await client.delete(f"/webhooks/{TYPE}")).status_code == 204
    assert (await client.delete(f"/webhooks/{TYPE}")).status_code == 404
    assert (await client.get(f"/webhooks/{TYPE}")).status_code == 404
    assert (await client.get("/webhooks")).json() == {"data": []}


@pytest.mark.parametrize(
    ("type", "body", "field"),
    [
        ("other", {"url": URL}, "type"),
        (TYPE, {}, "url"),
        (TYPE, {"url": ""}, "url"),
        (TYPE, {"url": "http://127.0.0.1:9/"}, "url"),
        (TYPE, {"url": "ftp://a.example"}, "url"),
        (TYPE, {"url": URL, "secret": ""}, "secret"),
        (TYPE, {"url": URL, "more": 1}, "more"),
    ],
)
async def test_what_cannot_be_told_is_refused(
    served: Served, type: str, body: dict[str, object], field: str
) -> None:
    refused = await served.client.put(f"/webhooks/{type}", json=body)
    assert refused.status_code == 422
    assert field in refused.text
    assert (await served.client.get("/webhooks")).json() == {"data": []}


async def test_only_an_administrator_sets_webhooks_and_only_of_the_own_organisation(served: Served) -> None:
    await served.client.put(f"/webhooks/{TYPE}", json={"url": URL})
    for role in ("member", "reporter", "worker"):
        async with await served.other_role(role) as client:
            assert (await client.get("/webhooks")).status_code == 403
            assert (await client.put(f"/webhooks/{TYPE}", json={"url": URL})).status_code == 403
            assert (await client.delete(f"/webhooks/{TYPE}")).status_code == 403
    async with await served.other_org() as stranger:
        assert (await stranger.get("/webhooks")).json() == {"data": []}
        assert (await stranger.get(f"/webhooks/{TYPE}")).status_code == 404
