"""What one session adds to its agent."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from sojourn.domain.agent import AgentSpec, ClientTool
from sojourn.domain.capability import Capability
from sojourn.domain.tool_policy import OnExpire, ToolPolicy, ToolRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """`instructions` follow the agent's, `model` takes the place of its model, tools are added to its tools.

    A capability takes the place of the agent's of the same name, and None takes that away.
    The rules of `tool_policy` stand over those of the same names; None is as the agent has it. A change is read by the
    next claim of a turn.
    """

    instructions: str = ""
    model: str | None = None
    tools: tuple[str, ...] = ()
    capabilities: Mapping[str, Capability | None] = field(default_factory=dict[str, Capability | None])
    client_tools: tuple[ClientTool, ...] = ()
    tool_policy: ToolPolicy = field(default_factory=dict[str, ToolRule])
    ask_timeout_seconds: float | None = None
    on_ask_expire: OnExpire | None = None
    max_model_calls: int | None = None

    def over(self, spec: AgentSpec) -> AgentSpec:
        """The agent as this session has it. Of two client tools of one name the session's stands."""
        client_tools = {tool.name: tool for tool in (*spec.client_tools, *self.client_tools)}
        capabilities = {**spec.capabilities, **self.capabilities}
        return replace(
            spec,
            instructions="\n\n".join(text for text in (spec.instructions, self.instructions) if text),
            model=self.model or spec.model,
            tools=tuple(dict.fromkeys((*spec.tools, *self.tools))),
            capabilities={ref: one for ref, one in capabilities.items() if one is not None},
            client_tools=tuple(client_tools.values()),
            tool_policy={**spec.tool_policy, **self.tool_policy},
            ask_timeout_seconds=self.ask_timeout_seconds or spec.ask_timeout_seconds,
            on_ask_expire=self.on_ask_expire or spec.on_ask_expire,
            max_model_calls=self.max_model_calls or spec.max_model_calls,
        )


NOTHING_ADDED = Overlay()
