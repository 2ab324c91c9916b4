"""What one session adds to its agent."""

from dataclasses import dataclass, replace

from sojourn.domain.agent import AgentSpec, ClientTool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlay:
    """`instructions` follow the agent's, `model` takes the place of its model, tools are added to its tools.

    A change is read by the next claim of a turn.
    """

    instructions: str = ""
    model: str | None = None
    tools: tuple[str, ...] = ()
    client_tools: tuple[ClientTool, ...] = ()

    def over(self, spec: AgentSpec) -> AgentSpec:
        """The agent as this session has it. Of two client tools of one name the session's stands."""
        client_tools = {tool.name: tool for tool in (*spec.client_tools, *self.client_tools)}
        return replace(
            spec,
            instructions="\n\n".join(text for text in (spec.instructions, self.instructions) if text),
            model=self.model or spec.model,
            tools=tuple(dict.fromkeys((*spec.tools, *self.tools))),
            client_tools=tuple(client_tools.values()),
        )


NOTHING_ADDED = Overlay()
