"""Which tools a model may use by itself, which only if somebody allows it, and which not at all."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

ToolRule = Literal["allow", "ask", "deny"]
# What becomes of an ask that nobody decides in time; `keep` waits on.
OnExpire = Literal["deny", "allow", "keep"]

# What becomes of a call that was started, and of which nobody knows whether it was finished: it is run again, the turn
# fails, somebody is asked whether to run it again, or the model is told and decides.
OnLost = Literal["retry", "fail", "ask", "report"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailedRule:
    """A rule with its own words about asks of the tool, and about a call of it whose worker was lost.

    None is as for the agent's other asks, and as the tool itself says whether running it twice does harm.
    """

    rule: ToolRule
    timeout_seconds: float | None = None
    on_expire: OnExpire | None = None
    on_lost: OnLost | None = None


ToolPolicy = Mapping[str, ToolRule | DetailedRule]

ANY_TOOL: Final = "*"


def rule_for(policy: ToolPolicy, tool: str) -> tuple[str, ToolRule]:
    """The name under which the rule stands, and the rule. A tool's own comes before that of `*`."""
    name, found = _found(policy, tool)
    return name, found.rule if isinstance(found, DetailedRule) else found


def expiry_for(
    policy: ToolPolicy, tool: str, timeout_seconds: float | None, on_expire: OnExpire
) -> tuple[float | None, OnExpire]:
    """How long an ask about the tool waits, None for ever, and what becomes of it then.

    The last two are what holds where the tool's rule has no words of its own.
    """
    _, found = _found(policy, tool)
    if isinstance(found, DetailedRule):
        timeout_seconds = timeout_seconds if found.timeout_seconds is None else found.timeout_seconds
        on_expire = found.on_expire or on_expire
    return (None if on_expire == "keep" else timeout_seconds), on_expire


def on_lost_for(policy: ToolPolicy, tool: str, is_repeatable: bool) -> OnLost:
    """What becomes of a call of the tool whose worker was lost."""
    _, found = _found(policy, tool)
    if isinstance(found, DetailedRule) and found.on_lost is not None:
        return found.on_lost
    return "retry" if is_repeatable else "report"


def with_rule(policy: ToolPolicy, tool: str, rule: ToolRule) -> ToolRule | DetailedRule:
    """Another rule for the tool, with the words that the one has which holds for it now."""
    _, found = _found(policy, tool)
    return replace(found, rule=rule) if isinstance(found, DetailedRule) else rule


def _found(policy: ToolPolicy, tool: str) -> tuple[str, ToolRule | DetailedRule]:
    for name in (tool, ANY_TOOL):
        if name in policy:
            return name, policy[name]
    return ANY_TOOL, "allow"
