"""Providers and models: rows to values and back."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from sojourn.domain.ids import OrgId
from sojourn.domain.provider import CallSettings, Model, Prices, Provider, ProviderKind
from sojourn.domain.record import CLIENT_SECRETS
from sojourn.domain.secret_reference import SecretReference
from sojourn.store.db import Db
from sojourn.store.rows import Row, to_instant, to_json, to_micros


class _ProviderData(msgspec.Struct):
    kind: ProviderKind
    base_url: str | None
    api_key: SecretReference | None


class _ModelData(msgspec.Struct):
    provider: str
    model: str
    settings: CallSettings
    prices: Prices | None


_decode_provider: Final = msgspec.json.Decoder(_ProviderData).decode
_decode_model: Final = msgspec.json.Decoder(_ModelData).decode


class ModelReads:
    _db: Db

    async def get_provider(self, org: OrgId, name: str) -> Provider | None:
        row = await self._db.one("get_provider", {"org": org, "name": name})
        return None if row is None else _provider_of(row)

    async def list_providers(self, org: OrgId) -> Sequence[Provider]:
        return [_provider_of(row) for row in await self._db.all("list_providers", {"org": org})]

    async def get_model(self, org: OrgId, name: str) -> Model | None:
        row = await self._db.one("get_model", {"org": org, "name": name})
        return None if row is None else _model_of(row)

    async def list_models(self, org: OrgId) -> Sequence[Model]:
        return [_model_of(row) for row in await self._db.all("list_models", {"org": org})]

    async def list_secrets(self, org: OrgId) -> Sequence[tuple[str, datetime]]:
        params = {"org": org, "prefix": CLIENT_SECRETS, "length": len(CLIENT_SECRETS)}
        rows = await self._db.all("list_secrets", params)
        return [(name.removeprefix(CLIENT_SECRETS), to_instant(updated_at)) for name, updated_at in rows]


class ModelWrites(ModelReads):
    async def write_provider(self, org: OrgId, provider: Provider) -> None:
        data = _ProviderData(provider.kind, provider.base_url, provider.api_key)
        await self._db.run("write_provider", _params(org, provider.name, data, provider.updated_at))

    async def delete_provider(self, org: OrgId, name: str) -> bool:
        return await self._db.run("delete_provider", {"org": org, "name": name}) > 0

    async def write_model(self, org: OrgId, model: Model) -> None:
        data = _ModelData(model.provider, model.model, model.settings, model.prices)
        await self._db.run("write_model", _params(org, model.name, data, model.updated_at))

    async def delete_model(self, org: OrgId, name: str) -> bool:
        return await self._db.run("delete_model", {"org": org, "name": name}) > 0


def _params(org: OrgId, name: str, data: object, updated_at: datetime) -> dict[str, object]:
    return {"org": org, "name": name, "data": to_json(data), "updated_at": to_micros(updated_at)}


def _provider_of(row: Row) -> Provider:
    name, data, updated_at = row
    held = _decode_provider(data)
    return Provider(
        name=name,
        kind=held.kind,
        base_url=held.base_url,
        api_key=held.api_key,
        updated_at=to_instant(updated_at),
    )


def _model_of(row: Row) -> Model:
    name, data, updated_at = row
    held = _decode_model(data)
    return Model(
        name=name,
        provider=held.provider,
        model=held.model,
        settings=held.settings,
        prices=held.prices,
        updated_at=to_instant(updated_at),
    )
