"""What an organisation's agents may be made of, as far as the core has to be asked for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sojourn.domain.agent import AgentQuery
from sojourn.domain.errors import NotFound
from sojourn.domain.ids import OrgId
from sojourn.service.core import Services
from sojourn.web.dialects.everruns import ids, models
from sojourn.web.dialects.everruns.models import Known

# Of how many agents in use the models are known here.
MOST_AGENTS: Final = 1_000


class Catalogue:
    def __init__(self, services: Services) -> None:
        self._agents = services.agents
        self._models = services.models
        self._always = tuple(Known(name) for name in dict.fromkeys((services.default_model, *models.ALWAYS)))

    async def models(self, org: OrgId) -> Sequence[Known]:
        """The server's default model first, the simulated ones, those that are stored, then those of agents in use."""
        stored = [Known(model.name, model) for model in await self._models.list_models(org)]
        agents = await self._agents.list(org, AgentQuery(archived=False, limit=MOST_AGENTS))
        used = [Known(agent.spec.model) for agent in agents if agent.spec.model is not None]
        found: dict[str, Known] = {}
        for known in (*self._always, *stored, *used):
            found.setdefault(known.name, known)
        return tuple(found.values())

    async def model(self, org: OrgId, text: str) -> Known:
        """The model of an id, or of its own name. NotFound for an unknown id, BadRequest for what is neither."""
        if models.is_name(text):
            return Known(text)
        wanted = ids.parse("model", text)
        for known in await self.models(org):
            if models.uuid_of(known.name) == wanted:
                return known
        raise NotFound("model", wanted)

    async def since(self, org: OrgId) -> datetime:
        """When the organisation began, as far as anybody can tell."""
        return (await self._agents.resolve(org, None)).created_at
