"""Handlers of providers, models and secrets."""

from decimal import Decimal

from sojourn.domain import provider as domain
from sojourn.domain.secret_reference import read_reference
from sojourn.web.kit.response import NO_CONTENT, Response, json_response
from sojourn.web.native import model_outbound, model_wire, queries, wire
from sojourn.web.native.route import Call

Bare = Call[queries.NoQuery, wire.Nothing]


async def put_provider(call: Call[queries.NoQuery, model_wire.NewProvider]) -> Response:
    new = call.body
    provider = domain.Provider(
        name=call.request.params["provider"],
        kind=new.kind,
        base_url=new.base_url,
        api_key=None if new.api_key is None else read_reference("api_key", new.api_key),
        updated_at=call.services.clock.now(),
    )
    return json_response(model_outbound.provider(await call.services.models.put_provider(call.org, provider)))


async def get_provider(call: Bare) -> Response:
    found = await call.services.models.get_provider(call.org, call.request.params["provider"])
    return json_response(model_outbound.provider(found))


async def list_providers(call: Bare) -> Response:
    found = await call.services.models.list_providers(call.org)
    return json_response(model_wire.Providers([model_outbound.provider(one) for one in found]))


async def delete_provider(call: Bare) -> Response:
    await call.services.models.delete_provider(call.org, call.request.params["provider"])
    return NO_CONTENT


async def put_model(call: Call[queries.NoQuery, model_wire.NewModel]) -> Response:
    new = call.body
    settings = domain.CallSettings(
        temperature=new.settings.temperature,
        top_p=new.settings.top_p,
        max_tokens=new.settings.max_tokens,
    )
    model = domain.Model(
        name=call.request.params["model"],
        provider=new.provider,
        model=new.model,
        settings=settings,
        prices=None if new.prices is None else _prices(new.prices),
        updated_at=call.services.clock.now(),
    )
    return json_response(model_outbound.model(await call.services.models.put_model(call.org, model)))


async def get_model(call: Bare) -> Response:
    found = await call.services.models.get_model(call.org, call.request.params["model"])
    return json_response(model_outbound.model(found))


async def list_models(call: Bare) -> Response:
    found = await call.services.models.list_models(call.org)
    return json_response(model_wire.Models([model_outbound.model(one) for one in found]))


async def delete_model(call: Bare) -> Response:
    await call.services.models.delete_model(call.org, call.request.params["model"])
    return NO_CONTENT


async def put_secret(call: Call[queries.NoQuery, model_wire.NewSecret]) -> Response:
    name = call.request.params["secret"]
    return json_response(
        model_outbound.secret(await call.services.vault.put(call.org, name, call.body.value))
    )


async def get_secret(call: Bare) -> Response:
    return json_response(
        model_outbound.secret(await call.services.vault.get(call.org, call.request.params["secret"]))
    )


async def list_secrets(call: Bare) -> Response:
    found = await call.services.vault.list(call.org)
    return json_response(model_wire.Secrets([model_outbound.secret(one) for one in found]))


async def delete_secret(call: Bare) -> Response:
    await call.services.vault.delete(call.org, call.request.params["secret"])
    return NO_CONTENT


def _prices(given: model_wire.Prices) -> domain.Prices:
    return domain.Prices(input_usd=Decimal(given.input_usd), output_usd=Decimal(given.output_usd))
