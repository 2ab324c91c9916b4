"""What a key lets a worker outside do."""

from dataclasses import dataclass
from typing import Final

from sojourn.domain.ids import AgentId
from sojourn.domain.kinds import RunnerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """Whose turns a key may claim. An empty tuple is no limit, but pools without runners are for `external` only.

    `secrets` are those stored ones that leave the server with the key: none that it does not name.
    """

    runners: tuple[RunnerKind, ...] = ()
    pools: tuple[str, ...] = ()
    agents: tuple[AgentId, ...] = ()
    secrets: tuple[str, ...] = ()

    def admits(self, runner: RunnerKind, pool: str | None, agent: AgentId) -> bool:
        """`pool` is that of an `external` agent, and of no meaning for others."""
        return self.admits_place(runner, pool) and (not self.agents or agent in self.agents)

    def admits_place(self, runner: RunnerKind, pool: str | None) -> bool:
        # Only agents of that runner have pools: whoever is limited to some is not given everybody else's turns.
        runners = self.runners or (("external",) if self.pools else ())
        if runners and runner not in runners:
            return False
        return runner != "external" or not self.pools or pool in self.pools


NO_LIMITS: Final = WorkerLimits()
