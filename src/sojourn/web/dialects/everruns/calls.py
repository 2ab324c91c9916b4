"""Asks as the tool calls that Everruns tells of. Pure."""

from collections.abc import Mapping
from typing import Final

from sojourn.domain.ids import AskId
from sojourn.domain.kinds import AskKind, Json
from sojourn.web.dialects.everruns.wire.event import Data

ASK_USER: Final = "ask_user"
# What a client answers with a tool's result. An approval is allowed, and a session that was started ends by itself.
CLIENTS: Final[frozenset[AskKind]] = frozenset({"client_tool", "question"})


def call_id(ask: AskId, prompt: Mapping[str, Json]) -> str:
    """The tool call that an ask is about; one that is about none has an id of its own."""
    match prompt:
        case {"tool_call_id": str(id)}:
            return id
        case _:
            return f"ask_{ask.hex}"


def requested_call(ask: AskId, prompt: Mapping[str, Json]) -> Data:
    """An ask as the tool call that it is about; a question of no tool is a call of `ask_user`."""
    id = call_id(ask, prompt)
    match prompt:
        case {"tool_call_id": str(), "name": str(name), "arguments": arguments}:
            return {"id": id, "name": name, "arguments": arguments}
        case _:
            return {"id": id, "name": ASK_USER, "arguments": dict(prompt)}
