"""Which tools a model may use by itself, which only if somebody allows it, and which not at all."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

ToolRule = Literal["allow", "ask", "deny"]
# What becomes of an ask that nobody decides in time; `keep` waits on.
OnExpire = Literal["deny", "allow", "keep"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedRule:
    """A rule with its own words about asks of the tool; None is as for the agent's other asks."""

    rule: ToolRule
    timeout_seconds: float | None = None
    on_expire: OnExpire | None = None


ToolPolicy = Mapping[str, ToolRule | TimedRule]

ANY_TOOL: Final = "*"


def rule_for(policy: ToolPolicy, tool: str) -> tuple[str, ToolRule]:
    """The name under which the rule stands, and the rule. A tool's own comes before that of `*`."""
    name, found = _found(policy, tool)
    return name, found.rule if isinstance(found, TimedRule) else found


def expiry_for(
    policy: ToolPolicy, tool: str, timeout_seconds: float | None, on_expire: OnExpire
) -> tuple[float | None, OnExpire]:
    """How long an ask about the tool waits, None for ever, and what becomes of it then.

    The last two are what holds where the tool's rule has no words of its own.
    """
    _, found = _found(policy, tool)
    if isinstance(found, TimedRule):
        timeout_seconds = timeout_seconds if found.timeout_seconds is None else found.timeout_seconds
        on_expire = found.on_expire or on_expire
    return (None if on_expire == "keep" else timeout_seconds), on_expire


def _found(policy: ToolPolicy, tool: str) -> tuple[str, ToolRule | TimedRule]:
    for name in (tool, ANY_TOOL):
        if name in policy:
            return name, policy[name]
    return ANY_TOOL, "allow"
