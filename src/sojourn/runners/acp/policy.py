"""What becomes of an agent's question whether it may run a tool: the rules decide, or somebody is asked."""

from collections.abc import Mapping, Sequence
from typing import Final

from sojourn.domain.agent import AgentSpec
from sojourn.domain.ask import NewAsk, prompt_of
from sojourn.domain.events import AskDecided
from sojourn.domain.ids import AskId, uuid7
from sojourn.domain.kinds import Json
from sojourn.domain.tool_policy import ANY_TOOL, ToolPolicy, ToolRule, expiry_for, rule_for
from sojourn.runners.acp.scribe import ToolCall
from sojourn.runners.acp.updates import OptionKind, Permission, as_object

ALLOW: Final[Sequence[OptionKind]] = ("allow_once", "allow_always")
ALLOW_ALWAYS: Final[Sequence[OptionKind]] = ("allow_always", "allow_once")
DENY: Final[Sequence[OptionKind]] = ("reject_once", "reject_always")
DENY_ALWAYS: Final[Sequence[OptionKind]] = ("reject_always", "reject_once")


def rule_for_call(policy: ToolPolicy, tool: ToolCall) -> tuple[str, ToolRule]:
    """The name under which the rule stands, and the rule: that of the tool's name, its title, its kind, or of `*`.

    The program asks about what its own configuration does not allow; without a rule somebody else decides.
    """
    for name in (tool.name, tool.title, tool.kind, ANY_TOOL):
        if name in policy:
            return rule_for(policy, name)
    return ANY_TOOL, "ask"


def ask_about(tool: ToolCall, permission: Permission, spec: AgentSpec) -> NewAsk:
    """About a call that the log knows. One that the program has begun already is no step that waits."""
    assert tool.request is not None
    given = as_object(tool.input) or as_object(permission.tool.input)
    prompt: dict[str, Json] = prompt_of(tool.request, given)
    if tool.is_started:
        del prompt["call"], prompt["index"]
    prompt["title"], prompt["kind"] = tool.title, tool.kind
    prompt["options"] = [
        {"id": option.id, "name": option.name, "kind": option.kind} for option in permission.options
    ]
    name, _ = rule_for_call(spec.tool_policy, tool)
    seconds, on_expire = expiry_for(spec.tool_policy, name, spec.ask_timeout_seconds, spec.on_ask_expire)
    return NewAsk(
        id=AskId(uuid7()),
        kind="approval",
        prompt=prompt,
        timeout_seconds=seconds,
        on_expire="allow" if on_expire == "allow" else "deny",
    )


def answer(permission: Permission, decided: AskDecided) -> None:
    """Give the program the option that was chosen, or that stands for what was decided."""
    is_always = is_for_good(decided)
    match decided.decision, decided.answer:
        case _, {"option": str(chosen)} if any(option.id == chosen for option in permission.options):
            if not permission.answer.done():
                permission.answer.set_result(chosen)
        case "allow", _:
            permission.choose(ALLOW_ALWAYS if is_always else ALLOW)
        case _:
            permission.choose(DENY_ALWAYS if is_always else DENY)


def is_for_good(decided: AskDecided) -> bool:
    """Whether it was decided so about every later call of that tool in the session."""
    return isinstance(decided.answer, Mapping) and decided.answer.get("always") is True
