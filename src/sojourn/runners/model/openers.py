"""Capabilities whose tools are only known when a turn has opened them."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Protocol

from sojourn.domain.capability import Capability, CapabilityKind
from sojourn.domain.kinds import Json
from sojourn.ports.turns import Journal
from sojourn.runners.model.tools import Tool


class CapabilityBroken(Exception):
    """No tools are to be had of it now; the first argument says of which one, and why."""


class Opener(Protocol):
    @property
    def kind(self) -> CapabilityKind: ...

    def open(
        self, journal: Journal, reference: str, config: Mapping[str, Json]
    ) -> AbstractAsyncContextManager[Sequence[Tool]]:
        """The tools, for as long as one claim of a turn runs. CapabilityBroken in bounded time."""
        ...


@asynccontextmanager
async def opened_tools(journal: Journal, openers: Mapping[str, Opener]) -> AsyncGenerator[Sequence[Tool]]:
    async with AsyncExitStack() as stack:
        tools: list[Tool] = []
        spec = journal.turn.agent.spec
        short = ((name, Capability(kind=name)) for name in spec.tools)
        for reference, capability in (*short, *spec.capabilities.items()):
            opener = openers.get(capability.kind)
            if opener is not None:
                tools.extend(
                    await stack.enter_async_context(opener.open(journal, reference, capability.config))
                )
        yield tools
