"""Providers, models, and the names of the secrets that clients store."""

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from sojourn.domain.ids import DEFAULT_ORG, OrgId
from sojourn.domain.provider import CallSettings, Model, Prices, Provider
from sojourn.domain.record import CLIENT_SECRETS
from sojourn.domain.secret_reference import SecretReference
from sojourn.ports import Store
from tests.contract.store.make import ORG, at

PROVIDER = Provider(
    name="b",
    kind="openai-compatible",
    base_url="https://a.example/v1",
    api_key=SecretReference("secret", "key"),
    updated_at=at(1),
)
MODEL = Model(
    name="b",
    provider="acme",
    model="large",
    settings=CallSettings(temperature=0.5, max_tokens=7),
    prices=Prices(input_usd=Decimal("0.15"), output_usd=Decimal(2)),
    updated_at=at(1),
)
STRANGER = OrgId(uuid4())


async def test_a_provider_is_one_of_its_name_and_organisation(store: Store) -> None:
    await store.write(lambda tx: tx.insert_org(DEFAULT_ORG, "o", at(0)))
    bare = replace(PROVIDER, name="B", kind="anthropic", base_url=None, api_key=None)
    changed = replace(PROVIDER, base_url="https://b.example", updated_at=at(2))
    for provider in (PROVIDER, bare, changed):
        await store.write(lambda tx, provider=provider: tx.write_provider(ORG, provider))
    assert await store.reads.get_provider(ORG, "b") == changed
    assert await store.reads.list_providers(ORG) == [bare, changed]
    assert await store.reads.get_provider(STRANGER, "b") is None
    assert await store.reads.list_providers(STRANGER) == []
    assert await store.write(lambda tx: tx.delete_provider(ORG, "b"))
    assert not await store.write(lambda tx: tx.delete_provider(ORG, "b"))
    assert await store.reads.get_provider(ORG, "b") is None


async def test_a_model_is_one_of_its_name_and_organisation(store: Store) -> None:
    await store.write(lambda tx: tx.insert_org(DEFAULT_ORG, "o", at(0)))
    bare = replace(MODEL, name="B", settings=CallSettings(), prices=None)
    changed = replace(MODEL, model="small", updated_at=at(2))
    for model in (MODEL, bare, changed):
        await store.write(lambda tx, model=model: tx.write_model(ORG, model))
    assert await store.reads.get_model(ORG, "b") == changed
    assert await store.reads.list_models(ORG) == [bare, changed]
    assert await store.reads.get_model(STRANGER, "b") is None
    assert await store.reads.list_models(STRANGER) == []
    assert await store.write(lambda tx: tx.delete_model(ORG, "b"))
    assert not await store.write(lambda tx: tx.delete_model(ORG, "b"))
    assert await store.reads.get_model(ORG, "b") is None


async def test_of_the_secrets_only_those_of_clients_are_listed(store: Store) -> None:
    await store.write(lambda tx: tx.insert_org(DEFAULT_ORG, "o", at(0)))
    for number, name in enumerate((CLIENT_SECRETS + "b", "clients", CLIENT_SECRETS + "A", "webhook/t")):
        await store.write(
            lambda tx, name=name, number=number: tx.write_secret(ORG, name, b"sealed", at(number))
        )
    listed = await store.reads.list_secrets(ORG)
    assert sorted(listed) == [("A", at(2)), ("b", at(0))]
    assert await store.reads.list_secrets(STRANGER) == []
