"""A worker of one world that drives the scripted agent, and what a test asks of it."""

import json
import os
import sys
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ids import SessionId, uuid7
from sojourn.domain.kinds import Json
from sojourn.domain.tool_policy import ToolPolicy
from sojourn.ports.turns import Turns
from sojourn.runners.acp.runner import AcpRunner
from sojourn.service.asks import Verdict
from sojourn.service.sessions import NewSession
from sojourn.worker.loop import Worker, WorkerSettings
from tests.support.world import SOMEBODY, World
from tests.worker.workplace import SETTINGS, working

AGENT = Path(__file__).with_name("agent.py")
# Half of the time that the library takes to import goes into reading its own comments, for documents nobody makes here.
START = """
import runpy, sys
from pydantic._internal import _fields
_fields._update_fields_from_docstrings = lambda *given, **named: None
del sys.argv[0]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@dataclass
class Stage:
    world: World
    directory: Path
    environment: Mapping[str, str] = field(default_factory=lambda: dict(os.environ))

    async def session(
        self,
        *traits: str,
        policy: ToolPolicy | None = None,
        spec: Mapping[str, object] | None = None,
        config: Mapping[str, Json] | None = None,
    ) -> SessionId:
        """A new session of the scripted agent with these traits."""
        command: list[Json] = [sys.executable, "-c", START, str(AGENT), *traits]
        runner_config: dict[str, Json] = {"command": command, **(config or {})}
        if "agent" in runner_config:
            del runner_config["command"]
        made = AgentSpec(
            name=f"scripted-{uuid7()}",
            runner="acp",
            runner_config=runner_config,
            tool_policy=policy or {},
            **(spec or {}),  # type: ignore[arg-type]
        )
        agent = await self.world.services.agents.create(self.world.org, made)
        return await self.world.new_session(NewSession(agent=agent.value.id))

    def runner(self) -> AcpRunner:
        vault = self.world.services.vault
        return AcpRunner(self.directory, self.environment, vault, allow_commands=True)

    @asynccontextmanager
    async def working(
        self, turns: Turns | None = None, settings: WorkerSettings = SETTINGS
    ) -> AsyncGenerator[Worker]:
        runner = self.runner()
        try:
            async with working(self.world, runner, settings, turns=turns, kind="acp") as worker:
                yield worker
        finally:
            await runner.close()

    def place(self, session: SessionId) -> Path:
        """The directory of a session's program."""
        return self.directory / str(self.world.org) / str(session)

    def prompts(self, session: SessionId) -> Sequence[Sequence[str]]:
        """What the program was told, by each of its own sessions."""
        place = self.place(session)
        files = sorted(place.parent.glob(f"{place.name}.s-*.jsonl"), key=lambda path: path.stat().st_mtime_ns)
        return [[json.loads(line) for line in path.read_text().splitlines()] for path in files]


async def decide(world: World, session: SessionId, verdict: Verdict) -> None:
    """The oldest open ask."""
    (ask, *_) = await world.services.asks.list(world.org, session, True, None, 10)
    await world.services.asks.decide(world.org, session, ask.id, verdict, SOMEBODY)
