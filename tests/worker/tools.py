"""Tools that a test holds the handles of."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sojourn.ports.turns import Journal
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.tools import Tool

Run = Callable[[Journal, Mapping[str, Any]], Awaitable[str]]


def tool(name: str, run: Run, repeatable: bool = False) -> Tool:
    return Tool(ToolSpec(name, f"The tool {name}.", {"type": "object"}), run, repeatable)


def prints(name: str, output: str, repeatable: bool = False) -> Tool:
    async def run(_journal: Journal, _arguments: Mapping[str, Any]) -> str:
        return output

    return tool(name, run, repeatable)


def raises(name: str, error: BaseException) -> Tool:
    async def run(_journal: Journal, _arguments: Mapping[str, Any]) -> str:
        raise error

    return tool(name, run)


class Gate:
    """A tool that stands still in each run until it is opened. A stubborn one does not let itself be cancelled."""

    def __init__(self, name: str = "gate", *, repeatable: bool = False, stubborn: bool = False) -> None:
        self.tool = tool(name, self._run, repeatable)
        self.runs = 0
        self.entered = asyncio.Event()
        self.cancelled = asyncio.Event()
        self._stubborn = stubborn
        self._opened = asyncio.Event()
        self._changed = asyncio.Condition()

    def open(self) -> None:
        self._opened.set()

    async def entered_by(self, runs: int) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self.runs >= runs)

    async def _run(self, _journal: Journal, _arguments: Mapping[str, Any]) -> str:
        async with self._changed:
            self.runs += 1
            self._changed.notify_all()
        self.entered.set()
        while not self._opened.is_set():
            try:
                await self._opened.wait()
            except asyncio.CancelledError:
                self.cancelled.set()
                if not self._stubborn:
                    raise
        return "went through"
