"""The client of an organisation's models: what a name stands for is looked up before each call."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace

from sojourn.domain.errors import NotFound, SecretWithheld
from sojourn.domain.ids import OrgId
from sojourn.domain.provider import Prices
from sojourn.ports.models import ModelSource
from sojourn.runners.model.client import FatalModelError, ModelAnswer, ModelClient, ModelRequest, TextDelta
from sojourn.runners.model.sim import PROVIDER as SIMULATED


class BoundModelClient:
    def __init__(self, source: ModelSource, org: OrgId, simulated: ModelClient, direct: ModelClient) -> None:
        self._source = source
        self._org = org
        self._simulated = simulated
        self._direct = direct

    async def stream(self, request: ModelRequest) -> AsyncGenerator[TextDelta | ModelAnswer, None]:
        try:
            binding = await self._source.bind(self._org, request.model)
        except NotFound as error:
            raise FatalModelError(
                f"{error} A model is written as provider/name, or is one that the organisation has stored."
            ) from error
        except SecretWithheld as error:
            raise FatalModelError(str(error)) from error
        client = self._simulated if binding.provider == SIMULATED else self._direct
        bound = replace(
            request,
            model=f"{binding.provider}/{binding.model}",
            settings=binding.settings,
            endpoint=binding.endpoint,
        )
        async with aclosing(client.stream(bound)) as items:
            async for item in items:
                yield _priced(item, binding.prices)


def _priced(item: TextDelta | ModelAnswer, prices: Prices | None) -> TextDelta | ModelAnswer:
    if prices is None or not isinstance(item, ModelAnswer):
        return item
    usage = item.usage
    cost = prices.cost(usage.input_tokens, usage.output_tokens)
    return replace(item, usage=replace(usage, cost_usd=cost))
