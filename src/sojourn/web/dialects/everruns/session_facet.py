"""What Everruns' clients say of a session and the core has no word for, as it is stored beside the session. Pure."""

from typing import Any, Final, Literal

import msgspec

from sojourn.web.kit.facets import FacetText

DIALECT: Final = "everruns"

Object = dict[str, Any]


class SecretName(msgspec.Struct, omit_defaults=True, frozen=True):
    """The value is sealed elsewhere, under the session and this name. Instants are Everruns' own."""

    name: str
    created_at: str
    updated_at: str


class SessionFacet(msgspec.Struct, omit_defaults=True, frozen=True):
    """`owner` and `pins` are keys. Capabilities and tools are as they were said; what acts is the session's overlay."""

    owner: str | None = None
    goal: str | None = None
    locale: str | None = None
    harness_id: str | None = None
    capabilities: list[Object] = []
    tools: list[Object] = []
    initial_files: list[Object] = []
    mcp_servers: Object = {}
    hints: Object = {}
    network_access: Object | None = None
    max_iterations: int | None = None
    parallel_tool_calls: bool | None = None
    workspace_id: str | None = None
    source: Literal["chat", "api"] = "api"
    agent_identity_id: str | None = None
    pins: list[str] = []
    secrets: list[SecretName] = []


_TEXT: Final = FacetText(SessionFacet)
NOTHING: Final = _TEXT.nothing
to_text: Final = _TEXT.to_text
of_text: Final = _TEXT.of_text


def of_child(parent: str) -> str | None:
    """What a session that an agent has started has of its parent's: it is its owner's."""
    owner = of_text(parent).owner
    return None if owner is None else to_text(SessionFacet(owner=owner))
