"""Tools whose effects are seen outside, each at its own pace."""

import os
from collections.abc import Mapping
from typing import Any, Final

from sojourn.ports.turns import Journal
from sojourn.runners.model.client import ToolSpec
from sojourn.runners.model.tools import BUILT_IN, Tool, ToolFailed
from tests.chaos.gate import pass_gate
from tests.chaos.outside import Outside
from tests.chaos.pausing import pause
from tests.chaos.plan import Killer

TOOLSET: Final = "chaos"
# Name, whether it may be run again, and the seconds that it takes before and after its effect.
KINDS: Final = (
    ("append_line", False, 0.0),
    ("append_line_slowly", False, 0.02),
    ("set_line", True, 0.0),
    ("set_line_slowly", True, 0.01),
)
NAMES: Final = tuple(name for name, _, _ in KINDS)
REPEATABLE: Final = frozenset(name for name, repeatable, _ in KINDS if repeatable)
REFUSES: Final = "refuse"
GATE: Final = "gate"
# Carried out by a client.
CLIENT_TOOL: Final = "look"
# Run once somebody has allowed it.
GUARDED: Final = "append_line_slowly"
GATE_VARIABLE: Final = "CHAOS_GATE"


class Lines:
    """The tools' one implementation. `at_work` counts the runs of each session, to know which are side by side."""

    def __init__(self, outside: Outside, killer: Killer) -> None:
        self._outside = outside
        self._killer = killer
        self._at_work = 0

    async def run(self, arguments: Mapping[str, Any], seconds: float) -> str:
        self._at_work += 1
        try:
            self._killer.hit("before_effect")
            await pause(seconds)
            self._outside.note("tool", arguments["key"])
            self._killer.hit("after_effect")
            await pause(seconds)
        finally:
            self._at_work -= 1
        if self._at_work:
            self._killer.hit("between_tools")
        return "written"


def chaos_tools(lines: Lines, *, reruns: bool) -> dict[str, tuple[Tool, ...]]:
    """The toolsets of the server. `reruns` is the defect: every tool passes for one that may be run again."""

    def line_tool(name: str, repeatable: bool, seconds: float) -> Tool:
        async def run(_journal: Journal, arguments: Mapping[str, Any]) -> str:
            return await lines.run(arguments, seconds)

        return Tool(ToolSpec(name, name, {"type": "object"}), run, repeatable or reruns)

    async def refuse(_journal: Journal, _arguments: Mapping[str, Any]) -> str:
        raise ToolFailed("No.")

    async def gate(_journal: Journal, arguments: Mapping[str, Any]) -> str:
        return await pass_gate(int(os.environ[GATE_VARIABLE]), arguments["key"])

    gated = Tool(ToolSpec(GATE, GATE, {"type": "object"}), gate)
    refusing = Tool(ToolSpec(REFUSES, REFUSES, {"type": "object"}), refuse)
    return {**BUILT_IN, TOOLSET: (*(line_tool(*kind) for kind in KINDS), gated, refusing)}
