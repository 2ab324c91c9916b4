"""The runner `acp`: the agent of a session is a program that speaks the Agent Client Protocol.

Nothing of the protocol's library is imported, and no program started, before a turn needs it.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from sojourn.domain.errors import CallRefused, InvalidRequest, LeaseLost
from sojourn.domain.runner_config.acp import AcpConfig, read_acp
from sojourn.ports.endings import Faulted, Parked, Settled
from sojourn.ports.turns import Journal
from sojourn.ports.vault import SecretSource
from sojourn.runners.acp.live import Live, Programs
from sojourn.runners.acp.process import CannotStart
from sojourn.runners.acp.recovery import Standing, standing
from sojourn.runners.acp.turn import Talk

# Programs that answer side by side; further turns wait for their turn as `starting`.
MOST_RUNNING: Final = 16


class AcpRunner:
    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        secrets: SecretSource,
        *,
        allow_commands: bool,
    ) -> None:
        """`directory` gets a directory for each session; `environment` is what programs may be given of."""
        self._programs = Programs(directory, environment, secrets)
        self._allow_commands = allow_commands
        self._room = asyncio.Semaphore(MOST_RUNNING)

    async def run(self, journal: Journal) -> Settled | Faulted | Parked:
        stands = standing(journal.conversation)
        if stands.is_waiting:
            # Only a decision can bring the turn on, and until then it needs no program.
            return Parked(events=(), asks=())
        if stands.is_done:
            return Settled(events=())
        try:
            spec = journal.turn.agent.spec
            config = read_acp(spec.runner_config, allow_commands=self._allow_commands)
            async with self._room:
                live = await self._programs.take(journal, config)
                return await self._talk(journal, live, config, stands)
        except (InvalidRequest, CannotStart) as error:
            return Settled(events=stands.events, reason="error", error=str(error))

    async def _talk(
        self, journal: Journal, live: Live, config: AcpConfig, stands: Standing
    ) -> Settled | Faulted | Parked:
        """Whatever ends the talk, the program is either at rest then, or not there any more."""
        is_at_rest = False
        try:
            if config.cwd is None:
                await live.workspace.lay_out(journal)
            ending = await Talk(journal, live, stands).run()
            is_at_rest = live.program.is_running and not isinstance(ending, Parked)
            live.connection.mute()
        except (asyncio.CancelledError, CallRefused):
            # The turn was stopped, and its session goes on: so may the program, if it stops too.
            is_at_rest = await live.stop_prompt() and live.link is None and not await _is_taken(journal)
            raise
        else:
            return ending
        finally:
            if is_at_rest:
                self._programs.keep(journal.turn, live)
            else:
                await live.end(at_once=True)

    async def close(self) -> None:
        """End every program. Their turns have been stopped before."""
        await self._programs.close()


async def _is_taken(journal: Journal) -> bool:
    """Whether another worker goes on with the turn, and with the program's session: ours must not, then."""
    with suppress(LeaseLost):
        await journal.catch_up()
    return journal.conversation.progress.is_taken
