"""Models by their plain names, for a worker that has no store: what is stored on the server has its secrets there."""

from sojourn.domain.errors import NotFound
from sojourn.domain.ids import OrgId
from sojourn.domain.provider import Binding, split_model


class PlainModels:
    """`provider/model` is the model of a provider that is configured where the worker runs."""

    async def bind(self, org: OrgId, model: str) -> Binding:
        del org
        parts = split_model(model)
        if parts is None:
            raise NotFound("model", model[:200])
        provider, name = parts
        return Binding(provider=provider, model=name, endpoint=None)
