"""Tools of agents and sessions, as they stand on the wire."""

from typing import Literal

import msgspec

from sojourn.client.json import Json

ToolRule = Literal["allow", "ask", "deny"]
OnAskExpire = Literal["deny", "allow", "keep"]


class DetailedRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rule with a deadline of its own for asks of the tool; None is as for the other asks.

    `on_lost` says what becomes of a call whose worker was lost while it ran; None is as the tool itself says.
    """

    rule: ToolRule
    timeout_seconds: float | None = None
    on_expire: OnAskExpire | None = None
    on_lost: Literal["retry", "fail", "ask", "report"] | None = None


class ClientTool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool that the model may call and a client carries out. `parameters` is a JSON Schema of type object."""

    name: str
    description: str = ""
    parameters: dict[str, Json] = {}


class Capability(msgspec.Struct, frozen=True, kw_only=True):
    """A kind of the server's catalogue, with what that is told."""

    kind: str
    config: dict[str, Json] = {}


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """What a session adds to its agent: instructions behind the agent's, another model, tools and rules about them."""

    instructions: str = ""
    model: str | None = None
    tools: list[str] = []
    client_tools: list[ClientTool] = []
    tool_policy: dict[str, ToolRule | DetailedRule] = {}
    ask_timeout_seconds: float | None = None
    on_ask_expire: OnAskExpire | None = None
    capabilities: dict[str, Capability | None] = {}
    max_model_calls: int | None = None
