"""Who asks for turns from outside."""

from dataclasses import dataclass

from sojourn.domain.agent import Agent
from sojourn.domain.errors import Forbidden
from sojourn.domain.ids import AgentId, OrgId
from sojourn.domain.kinds import RunnerKind
from sojourn.domain.record import Principal
from sojourn.service.turn_writes import outside_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """A worker outside: with which key it comes, what it calls itself, and whose turns it is for.

    `pool` is that of the turns of `external` agents. `agents` empty is every agent that the key admits.
    """

    principal: Principal
    name: str
    runners: tuple[RunnerKind, ...]
    pool: str
    agents: tuple[AgentId, ...] = ()

    @property
    def org(self) -> OrgId:
        return self.principal.org

    @property
    def worker(self) -> str:
        """What the log calls it."""
        return outside_name(self.name, self.principal.key)

    def check(self) -> None:
        """Forbidden for what its key does not admit: nothing would ever be found for it."""
        limits = self.principal.limits
        for runner in self.runners:
            if not limits.admits_place(runner, self.pool):
                place = f" of pool {self.pool}" if runner == "external" else ""
                raise Forbidden(f"worker for {runner} turns{place}")
        for agent in self.agents:
            if limits.agents and agent not in limits.agents:
                raise Forbidden(f"worker for agent {agent}")

    def admits(self, agent: Agent) -> bool:
        named = self.agents or self.principal.limits.agents
        if named and agent.id not in named:
            return False
        return agent.spec.pool is None or agent.spec.pool == self.pool
