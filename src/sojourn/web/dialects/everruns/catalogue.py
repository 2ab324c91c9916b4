"""What an organisation's agents may be made of, as far as the core has to be asked for it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sojourn.domain.agent import AgentQuery
from sojourn.domain.errors import NotFound
from sojourn.domain.ids import OrgId
from sojourn.service.core import Services
from sojourn.web.dialects.everruns import ids, models

# Of how many agents in use the models are known here.
MOST_AGENTS: Final = 1_000


class Catalogue:
    def __init__(self, services: Services) -> None:
        self._agents = services.agents
        self._always = tuple(dict.fromkeys((services.default_model, *models.ALWAYS)))

    async def models(self, org: OrgId) -> Sequence[str]:
        """The server's default model first, the simulated ones, then those of agents in use."""
        agents = await self._agents.list(org, AgentQuery(archived=False, limit=MOST_AGENTS))
        named = (agent.spec.model for agent in agents if agent.spec.model is not None)
        return tuple(dict.fromkeys((*self._always, *named)))

    async def model(self, org: OrgId, text: str) -> str:
        """The model of an id, or of its own name. NotFound for an unknown id, BadRequest for what is neither."""
        if models.is_name(text):
            return text
        wanted = ids.parse("model", text)
        for names in (self._always, await self.models(org)):
            for name in names:
                if models.uuid_of(name) == wanted:
                    return name
        raise NotFound("model", wanted)

    async def since(self, org: OrgId) -> datetime:
        """When the organisation began, as far as anybody can tell."""
        return (await self._agents.resolve(org, None)).created_at
