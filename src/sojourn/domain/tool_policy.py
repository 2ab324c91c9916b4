"""Which tools a model may use by itself, which only if somebody allows it, and which not at all."""

from collections.abc import Mapping
from typing import Final, Literal

ToolRule = Literal["allow", "ask", "deny"]
# What becomes of an ask that nobody decides in time; `keep` waits on.
OnExpire = Literal["deny", "allow", "keep"]
ToolPolicy = Mapping[str, ToolRule]

ANY_TOOL: Final = "*"


def rule_for(policy: ToolPolicy, tool: str) -> tuple[str, ToolRule]:
    """The name under which the rule stands, and the rule. A tool's own comes before that of `*`."""
    for name in (tool, ANY_TOOL):
        if name in policy:
            return name, policy[name]
    return ANY_TOOL, "allow"
